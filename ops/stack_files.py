"""Stack files as people's commands see them: read as they are, changed through the engine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from components import settings
from components.settings import PROJECT, Settings

STACKS = tuple(sorted(path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml")))

# Well-formed words in the place of secrets: rules ask whether they are there and encrypted.
SECRETS = {
    "proxmox_api_token": "nobody@pve!none=00000000-0000-0000-0000-000000000000",
    "cloudflare_api_token": "none",
    "hcloud_token": "none",
}


@cache
def settings_of(stack: str) -> Settings:
    """Return what a stack file says, or raise the error that tells its faults."""
    files = {name: settings.read(PROJECT / f"Pulumi.{name}.yaml") for name in STACKS}
    return settings.parse(stack, {**files.pop(stack), **SECRETS}, SECRETS.keys(), files)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackFile:
    """One environment's stack file, read as it is and changed through the engine."""

    project: Path
    stack: str

    def section(self, name: str) -> dict[str, Any]:
        """Return a section as it stands in the file."""
        section: dict[str, Any] = self._read().get(name) or {}
        return section

    def platform(self) -> str:
        """Return the platform that the stack stands on."""
        return str(self._read()["platform"])

    def set_secret(self, name: str, value: str) -> None:
        """Encrypt and keep a secret."""
        self._config("set", "--secret", name, value=value)

    def pin(self, path: str, value: str) -> None:
        """Write an identity, which is no secret."""
        self._config("set", "--path", path, value=value)

    def _read(self) -> Mapping[str, Any]:
        return settings.read(self.project / f"Pulumi.{self.stack}.yaml")

    def secret(self, name: str) -> str:
        """Return a secret in the clear; it must stay in this process."""
        return self._config("get", name, value="").strip()

    def _config(self, *arguments: str, value: str) -> str:
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--stack", self.stack, "config", *arguments],
            cwd=self.project,
            input=value,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"pulumi config {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout
