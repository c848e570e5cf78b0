"""What a worker says, kept by host and put in words for whoever reads the plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .protocol import Broken, Event, Fault, Finished, Operation, Status, Unknown, Unreachable

_IN_WORDS = {
    Status.CHANGES: "~",
    Status.CHANGED: "~",
    Status.UNKNOWN: "?",
    Status.FAILED: "!",
    Status.SKIPPED: "-",
    Status.STARTED: " ",
    Status.UNCHANGED: " ",
}


@dataclass(slots=True)
class Narration:
    """What was heard of each host."""

    operations: dict[str, list[Operation]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    succeeded: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
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
            self.faults.append(event.reason)
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

    def not_there_yet(self, hosts: Iterable[str]) -> None:
        """Keep that a host is not made yet, so that nothing can be said of its inside."""
        self._notes += [f"{host}: does not exist yet; everything will be done" for host in hosts]

    def leaving(self, hosts: Iterable[str], deploy: str | None) -> None:
        """Keep that a host is taken out of the group."""
        how = f"runs {deploy} first" if deploy else "is left as it is"
        self._notes += [f"{host}: leaves the group and {how}" for host in hosts]

    def changes(self) -> dict[str, list[str]]:
        """Return the names of the operations that would change something, by host."""
        told = {
            host: [op.name for op in operations if op.status is Status.CHANGES]
            for host, operations in self.operations.items()
        }
        return {host: names for host, names in told.items() if names}

    def bad(self) -> dict[str, str]:
        """Return why each host is not what is wanted."""
        return {h: f"{h}: {why}" for h, why in self.unreachable.items()} | self.failures

    def plan(self) -> str:
        """Return the plan: a line for each host, then its operations, then their diffs."""
        lines = list(self._notes)
        lines += [f"{host}: unreachable: {why}" for host, why in self.unreachable.items()]
        for host, operations in sorted(self.operations.items()):
            changing = [op for op in operations if op.status is not Status.UNCHANGED]
            about = "at least " if any(op.at_least for op in operations) else ""
            count = len(changing)
            lines.append(
                f"{host}: {about}{count} of {len(operations)} operations would change"
                if count
                else f"{host}: nothing would change"
            )
            for operation in changing:
                lines.append(f"  {_IN_WORDS[operation.status]} {operation.name}")
                lines += [f"      {detail}" for detail in operation.details]
                lines += [f"      {line}" for line in (operation.diff or "").splitlines()]
        return "\n".join(lines) or "nothing would change inside any host"

    def line(self, event: Operation | Finished | Unreachable) -> str:
        """Return one line of progress."""
        if isinstance(event, Unreachable):
            return f"{event.host}: unreachable: {event.reason}"
        if isinstance(event, Finished):
            return f"{event.host}: {event.changed} changed, {event.unchanged} unchanged"
        return f"{event.host}: {event.name}: {event.status}"


def _failure(event: Operation) -> str:
    told = [f"{event.host}: {event.name}: failed"]
    if event.exit is not None:
        told.append(f"exit code {event.exit}")
    if event.command:
        told.append(f"command: {event.command}")
    if event.output:
        told.append(event.output)
    return "\n    ".join(told)
