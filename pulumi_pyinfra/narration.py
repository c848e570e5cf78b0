"""What a worker says, kept by host and put in words for whoever reads the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .protocol import (
    Answered,
    Broken,
    Event,
    Fault,
    Finished,
    Operation,
    Status,
    Unknown,
    Unreachable,
)

_IN_WORDS = {
    Status.CHANGES: "~",
    Status.CHANGED: "~",
    Status.UNKNOWN: "?",
    Status.FAILED: "!",
    Status.SKIPPED: "-",
    Status.STARTED: " ",
    Status.UNCHANGED: " ",
}
_MOST_NAMES = 12


@dataclass(slots=True)
class Narration:
    """What was heard of each host."""

    operations: dict[str, list[Operation]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    succeeded: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """What is wrong with the arguments, or with the deploy itself."""
    _notes: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Keep an event."""
        if isinstance(event, Operation):
            self.operations.setdefault(event.host, []).append(event)
            if event.status is Status.FAILED:
                self.failures[event.host] = _failure(event)
        elif isinstance(event, Fault):
            self.faults.append(str(event))
        elif isinstance(event, Broken):
            self.faults.append(f"{event.host}: {event.reason}" if event.host else event.reason)
        elif isinstance(event, Answered):
            self.answers[event.host] = event.yes
        elif isinstance(event, Unreachable):
            self.unreachable[event.host] = event.reason
        elif isinstance(event, Unknown):
            self._notes.append(f"{event.host}: not known yet: {', '.join(event.paths)}")
        elif isinstance(event, Finished):
            self.operations.setdefault(event.host, [])
            if event.failed:
                self.failures.setdefault(event.host, f"{event.host}: failed")
            elif not event.skipped:
                self.succeeded.add(event.host)

    def note(self, hosts: Iterable[str], text: str) -> None:
        """Keep what can be said of hosts without asking them."""
        self._notes += [f"{host}: {text}" for host in hosts]

    def changes(self) -> dict[str, list[str]]:
        """Return the names of the operations that differ, or can't even be tried, by host."""
        differs = {Status.CHANGES, Status.UNKNOWN, Status.FAILED}
        told = {
            host: [op.name for op in operations if op.status in differs]
            for host, operations in self.operations.items()
        }
        return {host: names for host, names in told.items() if names}

    def bad(self) -> dict[str, str]:
        """Return why each host is not what is wanted."""
        return {h: f"{h}: {why}" for h, why in self.unreachable.items()} | self.failures

    def plan(self, *, diffs: bool) -> str:
        """Return the plan: for hosts that it is the same for, a line, then their operations."""
        lines = [*self._summary(), *self._notes]
        for why, hosts in _alike(self.unreachable):
            lines.append(f"{_named(hosts)}: unreachable: {why}")
        planned = {
            host: "\n".join(_planned(operations, diffs=diffs))
            for host, operations in sorted(self.operations.items())
        }
        lines += [f"{_named(hosts)}: {plan}" for plan, hosts in _alike(planned)]
        return "\n".join(lines) or "nothing would change inside any host"

    def _summary(self) -> Iterator[str]:
        """Yield the line of many hosts; of one, its own line says it."""
        if len(self.operations) > 1:
            changing = self.changes()
            count = sum(map(len, changing.values()))
            hosts = f"{len(changing)} of {len(self.operations)} hosts would change"
            yield f"{hosts}, {count} operations in all" if count else "no host would change"


def _planned(operations: Sequence[Operation], *, diffs: bool) -> Iterator[str]:
    changing = [op for op in operations if op.status is not Status.UNCHANGED]
    about = "at least " if any(op.at_least for op in operations) else ""
    if not changing:
        yield "nothing would change"
        return
    yield f"{about}{len(changing)} of {len(operations)} operations would change"
    for operation in changing:
        yield f"  {_IN_WORDS[operation.status]} {operation.name}"
        yield from (f"      {detail}" for detail in operation.details)
        if operation.status in (Status.FAILED, Status.UNKNOWN):
            yield from (f"      {line}" for line in (operation.output or "").splitlines())
        if diffs:
            yield from (f"      {line}" for line in (operation.diff or "").splitlines())


def _alike(told: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each text once, with the hosts that it is told of."""
    hosts: dict[str, list[str]] = {}
    for host, text in told.items():
        hosts.setdefault(text, []).append(host)
    yield from hosts.items()


def _named(hosts: Sequence[str]) -> str:
    if len(hosts) <= _MOST_NAMES:
        return ", ".join(hosts)
    return f"{', '.join(hosts[: _MOST_NAMES - 1])} and {len(hosts) - _MOST_NAMES + 1} more"


def _failure(event: Operation) -> str:
    told = [f"{event.host}: {event.name}: failed"]
    if event.exit is not None:
        told.append(f"exit code {event.exit}")
    if event.command:
        told += f"command: {event.command}".splitlines()
    told += (event.output or "").splitlines()
    return "\n    ".join(told)
