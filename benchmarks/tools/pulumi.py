"""Ours as it is used: a Pulumi program with our provider, on the real engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import yaml

from toolchain import engine

from ..cost import Command, cost_of
from ..fleet import Machine, known_hosts
from .tool import ROLE, Job, Tool

ROOT = ROLE.parent.parent
PROGRAMS = ROLE.parent / "programs"
_DYNAMIC = """\
#!/bin/sh
exec {python} -u -m pulumi.dynamic "$@"
"""


class Pulumi(Tool):
    """One resource for all hosts, rolled out everywhere at once."""

    name = "ours: pulumi up"
    program: ClassVar[str] = "group"
    _up: ClassVar[tuple[str, ...]] = ("up", "--yes", "--skip-preview")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "state").mkdir()
        self._variables = engine.environment(
            PYTHONPATH=str(ROOT),
            PULUMI_BACKEND_URL=(folder / "state").as_uri(),
            PULUMI_CONFIG_PASSPHRASE="benchmark",  # noqa: S106 - of a state that is thrown away
        )
        python = {"name": "python", "options": {"virtualenv": str(Path(sys.executable).parents[1])}}
        plugin = {"name": "pyinfra", "path": str(ROOT / "pulumi_pyinfra")}
        project = {"name": "benchmark", "runtime": python, "plugins": {"providers": [plugin]}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        shutil.copy(PROGRAMS / f"{self.program}.py", folder / "__main__.py")
        self._run("stack", "init", "benchmark")
        shutil.copytree(folder / "state", folder / "new")

    def prepare(self, job: Job) -> None:
        """Write what the program reads, and the deploy."""
        shutil.copytree(ROLE, self.folder / "role", dirs_exist_ok=True)
        hosts = {machine.name: self._host(machine, job) for machine in job.machines}
        wanted = {"deploy": f"role.service:{job.what}", "hosts": hosts}
        (self.folder / "wanted.json").write_text(json.dumps(wanted))

    def forget(self) -> None:
        """Start from an empty stack."""
        self._state_from("new")

    def holds(self) -> None:
        """Run once, so that the state knows."""
        self.forget()
        cost_of(self.converge())
        shutil.rmtree(self.folder / "held", ignore_errors=True)
        shutil.copytree(self.folder / "state", self.folder / "held")

    def recall(self) -> None:
        """Start from the stack in which all holds."""
        self._state_from("held")

    def _state_from(self, name: str) -> None:
        shutil.rmtree(self.folder / "state")
        shutil.copytree(self.folder / name, self.folder / "state")

    def converge(self, limit: Machine | None = None) -> Command:
        """Update; which hosts need it is the provider's to know."""
        del limit
        return self._command(*self._up)

    def dry_run(self) -> Command:
        """Preview."""
        return self._command("preview")

    def look(self) -> Command:
        """Update after a look into every host."""
        return self._command(*self._up, "--refresh")

    def _host(self, machine: Machine, job: Job) -> dict[str, Any]:
        ssh = {
            "address": machine.address,
            "port": machine.port,
            "user": machine.user,
            "private_key": machine.key.read_text(),
            "host_keys": [machine.host_key],
        }
        return {"ssh": ssh, "arguments": job.arguments(machine)}

    def _command(self, *arguments: str) -> Command:
        argv = ("pulumi", "--non-interactive", *arguments)
        return Command(argv=argv, folder=self.folder, variables=self._variables)

    def _run(self, *arguments: str) -> None:
        done = engine.pulumi(self.folder, self._variables, *arguments, check=False)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, arguments, done.stdout)


class PreviewFirst(Pulumi):
    """The same as it is without an option: the engine previews, then updates."""

    name = "ours: pulumi up, its preview included"
    _up = ("up", "--yes")


class Empty(Pulumi):
    """A program without a resource."""

    name = "pulumi, an empty program"
    program = "empty"


class ResourcePerHost(Pulumi):
    """Our provider with a resource for each host."""

    name = "ours: a Deploy per host"
    program = "each"


class Dynamic(Pulumi):
    """Pulumi's dynamic provider with a resource for each host."""

    name = "pulumi's dynamic provider, a resource per host"
    program = "dynamic"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # The plugin's start script is not among the tools that the platform needs.
        plugin = folder / "bin" / "pulumi-resource-pulumi-python"
        plugin.parent.mkdir()
        plugin.write_text(_DYNAMIC.format(python=sys.executable))
        plugin.chmod(0o755)
        self._variables["PATH"] = f"{plugin.parent}:{self._variables['PATH']}"

    def prepare(self, job: Job) -> None:
        """Write the commands that the program runs."""
        known = self.folder / "known_hosts"
        known.write_text(known_hosts(job.machines))
        hosts = {m.name: {"command": _ssh(m, known, job)} for m in job.machines}
        (self.folder / "wanted.json").write_text(json.dumps({"hosts": hosts}))


def _ssh(machine: Machine, known: Path, job: Job) -> list[str]:
    if job.what != "sleep":
        raise NotImplementedError(job.what)
    ssh = ["ssh", "-F", "none", "-i", str(machine.key), "-o", f"UserKnownHostsFile={known}"]
    where = ["-p", str(machine.port), f"{machine.user}@{machine.address}"]
    return [*ssh, *where, f"sleep 5; echo done > {machine.folder}/done"]
