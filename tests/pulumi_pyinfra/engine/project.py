"""A Pulumi program of one deploy, on the real engine, with the provider of this repository."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain import engine

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).parent / "program"


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(PROGRAM, self.folder, dirs_exist_ok=True)
        state = self.folder / "state"
        state.mkdir()
        self.variables = engine.environment(
            PYTHONPATH=str(ROOT),
            PULUMI_BACKEND_URL=state.as_uri(),
            PULUMI_CONFIG_PASSPHRASE="test",
        )
        plugin = {"name": "pyinfra", "path": str(ROOT / "pulumi_pyinfra")}
        program = {
            "name": "one-deploy",
            "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}},
            "plugins": {"providers": [plugin]},
        }
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        self.pulumi("stack", "init", "test")

    def want(self, hosts: dict[str, Any], **other: Any) -> None:
        """Write what the program wants."""
        wanted = {"deploy": "deploys.page:page", "hosts": hosts, **other}
        (self.folder / "wanted.json").write_text(json.dumps(wanted))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine and return what it said."""
        return engine.pulumi(self.folder, self.variables, *arguments, check=check)

    def preview(self, *arguments: str) -> str:
        """Run a preview and return what it said."""
        done = self.pulumi("preview", *arguments)
        return done.stdout + done.stderr

    def up(self, *arguments: str, check: bool = True) -> str:
        """Run an update and return what it said."""
        done = self.pulumi("up", "--yes", "--skip-preview", *arguments, check=check)
        return done.stdout + done.stderr

    def refresh(self, *arguments: str, check: bool = True) -> str:
        """Run a refresh and return what it said."""
        done = self.pulumi("refresh", "--yes", "--skip-preview", *arguments, check=check)
        return done.stdout + done.stderr

    def outputs(self) -> dict[str, Any]:
        """Return what the state keeps of the deploy."""
        exported = json.loads(self.pulumi("stack", "export").stdout)["deployment"]
        found = [r for r in exported["resources"] if r["type"] == "pyinfra:index:Deploy"]
        outputs: dict[str, Any] = found[0]["outputs"]
        return outputs
