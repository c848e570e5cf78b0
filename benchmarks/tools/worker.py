"""Our worker alone, without the engine and the provider that start it."""

from __future__ import annotations

import shutil
import sys

from pulumi_pyinfra.protocol import Action, Host, Request, Ssh

from ..cost import Command
from ..fleet import Machine
from .tool import ROLE, Job, Tool

PROGRAM = ROLE.parent.parent


class OurWorker(Tool):
    """What the provider would ask for, asked directly."""

    name = "our worker alone"

    def prepare(self, job: Job) -> None:
        """Copy the deploy; the request itself is given when it is run."""
        shutil.copytree(ROLE, self.folder / "role", dirs_exist_ok=True)
        self._job = job

    def converge(self, limit: Machine | None = None) -> Command:
        """Ask for the deploy to be run."""
        return self._asked(Action.APPLY, limit)

    def dry_run(self) -> Command:
        """Ask for a plan."""
        return self._asked(Action.PLAN)

    def check(self) -> Command:
        """Ask whether the arguments are what the deploy takes; no host is asked."""
        return self._asked(Action.CHECK)

    def _asked(self, action: Action, limit: Machine | None = None) -> Command:
        request = Request(
            action=action,
            deploy=f"role.service:{self._job.what}",
            path=str(self.folder),
            hosts=tuple(
                Host(name=m.name, arguments=self._job.arguments(m), ssh=_ssh(m))
                for m in self._job.machines
                if limit is None or m.name == limit.name
            ),
        )
        return Command(
            argv=(sys.executable, "-m", "pulumi_pyinfra.worker"),
            folder=self.folder,
            variables={"PYTHONPATH": str(PROGRAM)},
            stdin=f"{request.to_json()}\n",
            until='"event": "done"',
        )


def _ssh(machine: Machine) -> Ssh:
    return Ssh(
        address=machine.address,
        port=machine.port,
        user=machine.user,
        private_key=machine.key.read_text(),
        host_keys=(machine.host_key,),
    )
