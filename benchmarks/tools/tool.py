"""What every contender can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..cost import Command
from ..fleet import Machine

What = Literal["role", "modules", "raw", "sleep"]
ROLE = Path(__file__).parent.parent / "role"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is done, and to whom."""

    machines: Sequence[Machine]
    what: What = "role"
    services: int = 2
    """How often the role's nine operations are there."""

    @property
    def operations(self) -> int:
        """How many operations a host has."""
        return {"role": 9 * self.services, "modules": 4, "raw": 1, "sleep": 1}[self.what]

    def arguments(self, machine: Machine) -> dict[str, Any]:
        """Return the contract's fields for one host."""
        return {
            "folder": str(machine.folder),
            "services": self.services,
            "word": machine.word,
        }


class Tool:
    """A contender, with a folder of its own for what it must be told."""

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(self, job: Job) -> None:
        """Write down what is wanted; not part of what is measured."""
        raise NotImplementedError

    def converge(self, limit: Machine | None = None) -> Command:
        """Return the command that does it, on all hosts or on one."""
        raise NotImplementedError

    def dry_run(self) -> Command:
        """Return the command that tells what would be done."""
        raise NotImplementedError

    def holds(self) -> None:
        """Be told that what is wanted holds on all hosts; only who keeps a state cares."""

    def recall(self) -> None:
        """Be told that it is again as when ``holds`` was said; only who keeps a state cares."""

    def forget(self) -> None:
        """Be told that the hosts are new; only who keeps a state cares."""


def hosts(count: int) -> str:
    """Return how many hosts there are, in words."""
    return "1 host" if count == 1 else f"{count} hosts"
