"""The contenders on a fleet, and the rows that they take part in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from .case import Row
from .cost import Command, CommandFailedError, Cost, cost_of
from .fleet import Fleet, Machine
from .peers import Peers
from .tools.ansible import Ansible, Mitogen
from .tools.pulumi import Pulumi
from .tools.pyinfra_cli import PyinfraCli
from .tools.shell import Shell
from .tools.tool import Job, Tool
from .tools.worker import OurWorker

T = TypeVar("T", bound=Tool)

# In the words of Ansible, of our worker, and of the engine.
_CHANGES = re.compile(
    r"changed=[1-9]|\"status\": \"(changes|changed|failed)\"|^ +[-+~]+ ?\d+ ", re.MULTILINE
)


class Contest:
    """Makes rows; each contender has one folder for the whole run."""

    def __init__(self, fleet: Fleet, folder: Path, peers: Peers) -> None:
        self.fleet = fleet
        self._folder = folder
        self.shell = Shell(folder / "shell")
        self.ansible = Ansible(folder / "ansible", peers)
        self.mitogen = Mitogen(folder / "mitogen", peers)
        self.pyinfra = PyinfraCli(folder / "pyinfra")
        self.worker = OurWorker(folder / "worker")
        self.ours = Pulumi(folder / "ours")
        self._others: dict[type[Tool], Tool] = {}

    def another(self, kind: type[T]) -> T:
        """Return a contender that only some parts know."""
        if kind not in self._others:
            self._others[kind] = kind(self._folder / kind.__name__.lower())
        found = self._others[kind]
        assert isinstance(found, kind)  # noqa: S101 - that is its key
        return found

    def wiped(self, job: Job) -> Callable[[], None]:
        """Return what makes the hosts new."""

        def wipe() -> None:
            for machine in job.machines:
                machine.wipe()

        return wipe

    def held(self, job: Job) -> Callable[[], None]:
        """Return what brings the hosts to where there is nothing to do, by nobody's own way."""

        def hold() -> None:
            self.wiped(job)()
            self.shell.prepare(job)
            cost_of(self.shell.converge())

        return hold

    def fresh(self, tool: Tool, job: Job) -> Row:
        """Return the row of a first converge; in the end all trees are as the floor leaves them."""
        tree = _Expected(self.shell, job)

        def before() -> None:
            self.wiped(job)()
            tool.prepare(job)
            tool.forget()

        def after(_: Cost) -> Mapping[str, float]:
            for machine in job.machines:
                tree.compare(machine)
            return {}

        return Row(
            name=tool.name, setup=tree.find, before=before, command=tool.converge, after=after
        )

    def unchanged(
        self, tool: Tool, job: Job, command: Callable[[], Command], name: str | None = None
    ) -> Row:
        """Return the row of a run that has nothing to do; it must not touch anything."""
        times: dict[str, int] = {}

        def setup() -> None:
            tool.prepare(job)
            tool.holds()

        def before() -> None:
            times.clear()
            times.update(_times(job.machines))

        def after(cost: Cost) -> Mapping[str, float]:
            if _times(job.machines) != times:
                raise CommandFailedError(f"changed something\n{cost.said}")
            if _CHANGES.search(cost.said):
                raise CommandFailedError(f"would change something\n{cost.said}")
            return {}

        row_name = name or tool.name
        return Row(name=row_name, setup=setup, before=before, command=command, after=after)


class _Expected:
    """The tree that the floor's script leaves."""

    def __init__(self, shell: Shell, job: Job) -> None:
        self._shell, self._job = shell, job
        self._tree: dict[str, tuple[str, ...]] = {}

    def find(self) -> None:
        """Run the script on the first host."""
        first = self._job.machines[0]
        first.wipe()
        self._shell.prepare(self._job)
        cost_of(self._shell.converge(limit=first))
        self._tree = first.tree()

    def compare(self, machine: Machine) -> None:
        """Refuse another tree."""
        tree = machine.tree()
        wrong = sorted(p for p in {*tree, *self._tree} if tree.get(p) != self._tree.get(p))
        if wrong:
            some = ", ".join(wrong[:3])
            raise CommandFailedError(f"{machine.name} is not as it must be, {len(wrong)}: {some}")


def _times(machines: Iterable[Machine]) -> dict[str, int]:
    return {path: time for machine in machines for path, time in machine.times().items()}
