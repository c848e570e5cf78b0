"""A Pulumi project of the lab, and the real engine's commands on its one stack.

It lies outside the checkout with its own state, so that nothing of the repository is written
and two checkouts never meet.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from toolchain import engine

Overlay = Mapping[str, Mapping[str, Any]]
"""Values by section and key."""


@dataclass(kw_only=True)
class Project:
    """A Pulumi project outside the checkout, with the engine's commands on its one stack."""

    folder: Path
    stack: str
    variables: Mapping[str, str] = field(repr=False)
    within: tuple[str, ...] = ()
    """Command that runs another inside the lab's network, if the stack's machines are there."""

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the real engine beside the block, as the head of a process group; then end it."""
        process = subprocess.Popen(
            [*self.within, "pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine on the lab's stack and return what it said."""
        return engine.pulumi(
            self.folder, self.variables, *arguments, check=check, within=self.within
        )

    def show(self, *arguments: str) -> int:
        """Run the real engine with its output where people see it, and return its exit code."""
        command = [*self.within, "pulumi", "--stack", self.stack, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env={**os.environ, **self.variables}, check=False
        ).returncode

    def ops(self, name: str, *words: str) -> list[str]:
        """Return the command line of one of `ops`, what people do by hand, on the lab's stack."""
        project = ("--project", str(self.folder))
        return [*self.within, sys.executable, "-m", f"ops.{name}", *project, self.stack, *words]

    def configure(self, change: Overlay) -> None:
        """Overlay ``change`` (section, key, value) on the lab's stack file."""
        self.stack_file.write_text(
            yaml.safe_dump(overlaid(self._stack_file(), change), sort_keys=False)
        )

    def replace(self, key: str, value: Mapping[str, Any] | str) -> None:
        """Write a key of the lab's stack file anew, a section's own keys in the order given."""
        document = self._stack_file()
        document["config"][f"coldstorage:{key}"] = value
        self.stack_file.write_text(yaml.safe_dump(document, sort_keys=False))

    def section(self, name: str) -> dict[str, Any]:
        """Return a section of the lab's stack file."""
        section: dict[str, Any] = self._stack_file()["config"][f"coldstorage:{name}"]
        return section

    @property
    def stack_file(self) -> Path:
        """Return where the lab's stack file is."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    @property
    def checkpoint(self) -> Path:
        """Return the file in which the engine keeps the stack's state."""
        return self.folder / "state" / ".pulumi" / "stacks" / "coldstorage" / f"{self.stack}.json"

    def _stack_file(self) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(self.stack_file.read_text())
        return document


def overlaid(stack_file: Mapping[str, Any], change: Overlay) -> dict[str, Any]:
    """Return the stack file with the keys of ``change`` set, one section at a time."""
    config = dict(stack_file["config"])
    for section, values in change.items():
        config[f"coldstorage:{section}"] = config.get(f"coldstorage:{section}", {}) | dict(values)
    return {**stack_file, "config": config}
