"""The database tier as whoever operates it sees it: who leads, who follows, and one at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.reach import FailedError, Machine, UnreachableError, export_of, hosts_of, machines

DEPLOY = "hosts.database:database"
PATRONI = "patronictl -c /etc/patroni/config.yml"
PATIENCE = 90
_LEADS = "Leader"
_WELL = ("streaming", "running")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """The machines of one cluster."""

    machines: Mapping[str, Machine]
    silent: set[str] = field(default_factory=set)
    """Who did not answer last time: they are asked last."""

    def ask(self, command: str) -> str:
        """Return what the first machine says that answers."""
        reasons = []
        for machine in sorted(self.machines.values(), key=lambda m: m.name in self.silent):
            try:
                said = machine.run(command)
            except FailedError as error:
                reasons.append(str(error))
                self.silent.add(machine.name)
            else:
                self.silent.discard(machine.name)
                return said
        raise FailedError("no machine answers:\n  " + "\n  ".join(reasons))

    def members(self) -> dict[str, dict[str, Any]]:
        """Return the cluster as Patroni sees it."""
        return {m["Member"]: m for m in json.loads(self.ask(f"{PATRONI} list --format json"))}

    def leader(self) -> Machine | None:
        """Return who leads, if somebody does."""
        leading = [n for n, m in self.members().items() if m["Role"] == _LEADS]
        return self.named(leading[0]) if leading else None

    def named(self, name: str) -> Machine:
        """Return a machine, or say which there are."""
        if name not in self.machines:
            raise FailedError(f"{name}: is no machine of the tier; there are {[*self.machines]}")
        return self.machines[name]

    def well(self) -> bool:
        """Tell whether one leads and all others stream from it."""
        members = self.members()
        leading = sum(m["Role"] == _LEADS for m in members.values())
        return (
            leading == 1
            and members.keys() == self.machines.keys()
            and all(m["State"] in _WELL for m in members.values())
        )

    def replicas_first(self) -> list[Machine]:
        """Return all machines, the one that leads last."""
        leader = self.leader()
        if leader is None:
            raise FailedError("nobody leads: nothing is touched")
        return [*(m for m in self.machines.values() if m is not leader), leader]

    def wait(self, otherwise: str, true: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """Return after how many seconds something became true; say what did not."""
        began = time.monotonic()
        while not _true(true):
            if time.monotonic() - began > seconds:
                raise FailedError(f"{otherwise} after {seconds} s")
            time.sleep(0.3)
        return time.monotonic() - began


def _true(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except UnreachableError:
        return False


@contextmanager
def tier_of(stack: str, project: Path) -> Iterator[Tier]:
    """Have the tier of a stack within a block."""
    hosts, sudo = hosts_of(export_of(stack, project), DEPLOY)
    with machines(hosts, sudo=sudo) as reached:
        yield Tier(machines=reached)
