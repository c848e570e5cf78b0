"""pyinfra's own command line, running the same deploy."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from ..cost import Command
from ..fleet import Machine, known_hosts
from .tool import ROLE, Job, Tool

INVENTORY = """\
import json
hosts = [tuple(host) for host in json.load(open("hosts.json"))]
"""
WRAPPER = """\
from pyinfra import host
from role.service import Role, {what}
{what}(Role(**host.data.arguments))
"""


class PyinfraCli(Tool):
    """All hosts at once, as is its default."""

    name = "pyinfra"

    def prepare(self, job: Job) -> None:
        """Write the inventory, and the deploy with its thin wrapper."""
        known = self.folder / "known_hosts"
        known.write_text(known_hosts(job.machines))
        hosts = [
            (
                machine.name,
                {
                    "ssh_hostname": machine.address,
                    "ssh_port": machine.port,
                    "ssh_user": machine.user,
                    "ssh_key": str(machine.key),
                    "ssh_known_hosts_file": str(known),
                    "ssh_strict_host_key_checking": "yes",
                    "ssh_allow_agent": False,
                    "ssh_look_for_keys": False,
                    "arguments": job.arguments(machine),
                },
            )
            for machine in job.machines
        ]
        (self.folder / "hosts.json").write_text(json.dumps(hosts))
        (self.folder / "inventory.py").write_text(INVENTORY)
        (self.folder / "deploy.py").write_text(WRAPPER.format(what=job.what))
        shutil.copytree(ROLE, self.folder / "role", dirs_exist_ok=True)

    def converge(self, limit: Machine | None = None) -> Command:
        """Plan and run, without a question."""
        return self._pyinfra("-y", *(("--limit", limit.name) if limit else ()))

    def dry_run(self) -> Command:
        """Plan only."""
        return self._pyinfra("--dry")

    def _pyinfra(self, *options: str) -> Command:
        argv = (
            str(Path(sys.executable).with_name("pyinfra")),
            *options,
            "inventory.py",
            "deploy.py",
        )
        return Command(argv=argv, folder=self.folder)
