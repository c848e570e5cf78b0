"""Ansible as its users tune it, and the same with Mitogen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..cost import Command
from ..fleet import Machine, known_hosts
from ..peers import Peers
from .tool import ROLE, Job, Tool

CONFIGURATION = """\
[defaults]
forks = 50
gathering = explicit
host_key_checking = True
interpreter_python = /usr/bin/python3
remote_tmp = {folder}/remote-tmp
local_tmp = {folder}/local-tmp
nocows = True
timeout = 60
{strategy}
[ssh_connection]
pipelining = True
control_path_dir = {folder}/cp
ssh_args = -F none -C -o ControlMaster=auto -o ControlPersist=60s {known_hosts}
"""


class Ansible(Tool):
    """Pipelining, 50 forks, no facts, connections kept; it starts without any open."""

    name = "Ansible"
    _strategy = ""

    def __init__(self, folder: Path, peers: Peers) -> None:
        super().__init__(folder)
        self._peers = peers

    def prepare(self, job: Job) -> None:
        """Write configuration, inventory and playbook."""
        known = self.folder / "known_hosts"
        known.write_text(known_hosts(job.machines))
        (self.folder / "ansible.cfg").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                strategy=self._strategy,
                known_hosts=f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
            )
        )
        hosts = {machine.name: _host(machine) for machine in job.machines}
        inventory = {"all": {"hosts": hosts}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory, indent=1))
        (self.folder / "playbook.json").write_text(json.dumps([_play(job)], indent=1))
        shutil.copytree(ROLE, self.folder, dirs_exist_ok=True)

    def converge(self, limit: Machine | None = None) -> Command:
        """Run the playbook."""
        return self._playbook(*(("--limit", limit.name) if limit else ()))

    def dry_run(self) -> Command:
        """Run it with ``--check``."""
        return self._playbook("--check")

    def _playbook(self, *options: str) -> Command:
        program = self._peers.program("ansible-playbook")
        return Command(
            argv=(program, "-i", "inventory.json", "playbook.json", *options),
            folder=self.folder,
            variables={
                "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "LANG": "C.UTF-8",
            },
        )


class Mitogen(Ansible):
    """The same with Mitogen's strategy, which keeps a Python on each host."""

    name = "Ansible + Mitogen"

    def prepare(self, job: Job) -> None:
        """Write the same, and where the strategy is."""
        folder = self._peers.mitogen_strategies()
        self._strategy = f"strategy_plugins = {folder}\nstrategy = mitogen_linear\n"
        super().prepare(job)


def _host(machine: Machine) -> dict[str, Any]:
    return {
        "ansible_host": machine.address,
        "ansible_port": machine.port,
        "ansible_user": machine.user,
        "ansible_ssh_private_key_file": str(machine.key),
        "folder": str(machine.folder),
        "word": machine.word,
    }


def _play(job: Job) -> dict[str, Any]:
    if job.what == "role":
        tasks = [
            {"ansible.builtin.import_tasks": "service.yml", "vars": {"number": number}}
            for number in range(job.services)
        ]
    else:
        tasks = [{"ansible.builtin.import_tasks": f"{job.what}.yml"}]
    names = {
        "needed_packages": ["bash", "coreutils", "findutils", "grep", "gzip", "sed", "tar"],
        "needed_groups": ["adm", "daemon", "mail", "nogroup", "tape", "users", "video"],
    }
    return {"hosts": "all", "gather_facts": False, "vars": names, "tasks": tasks}
