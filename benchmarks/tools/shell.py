"""The floor: the role as a shell script, ``xargs -P`` and ssh."""

from __future__ import annotations

import shutil

from ..cost import Command
from ..fleet import Machine, known_hosts
from .tool import ROLE, Job, Tool

_ONE = 'ssh $OPTIONS -p "$0" "$1" bash -s -- "$2" "$3" "$4" "$5" < service.sh'


class Shell(Tool):
    """One login a host, one program, no plan, no report."""

    name = "shell over ssh"

    def prepare(self, job: Job) -> None:
        """Write the list of hosts."""
        shutil.copy(ROLE / "service.sh", self.folder)
        (self.folder / "known_hosts").write_text(known_hosts(job.machines))
        for machine in job.machines:
            (self.folder / machine.name).write_text(_line(machine, job))
        lines = [_line(machine, job) for machine in job.machines]
        (self.folder / "hosts").write_text("".join(lines))
        self._key = str(job.machines[0].key)

    def converge(self, limit: Machine | None = None) -> Command:
        """Run the script everywhere at once."""
        options = f"-F none -i {self._key} -o UserKnownHostsFile=known_hosts -o BatchMode=yes"
        hosts = limit.name if limit else "hosts"
        return Command(
            argv=("xargs", "-a", hosts, "-P", "50", "-L", "1", "sh", "-c", _ONE),
            folder=self.folder,
            variables={"OPTIONS": options},
        )


def _line(machine: Machine, job: Job) -> str:
    where = f"{machine.port} {machine.user}@{machine.address}"
    return f"{where} {job.what} {machine.folder} {job.services} {machine.word}\n"
