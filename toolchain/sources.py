"""What every source of tools has in common, and the source that needs no network: PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .cache import Cache
from .tool import SourceError, Tool

Say = Callable[[str], None]


class Source(Protocol):
    """One way to obtain tools."""

    @property
    def name(self) -> str:
        """How reports and records call it."""
        ...

    def offers(self, tool: Tool) -> bool:
        """Tell whether the catalogue knows this way for the tool."""
        ...

    def recipe(self, tool: Tool) -> str:
        """Return what decides the result; when it changes, the tool is obtained again."""
        ...

    def obtain(self, tool: Tool, staging: Path, say: Say) -> Mapping[str, Path]:
        """Return where each file is now by its place below the cache, or raise SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class FromPath:
    """Uses a command that the machine has, where its version is acceptable."""

    cache: Cache
    name: str = "on PATH"

    def offers(self, tool: Tool) -> bool:
        """Tell whether the tool may come from PATH."""
        return tool.on_path is not None

    def recipe(self, tool: Tool) -> str:
        """Return the condition on the version."""
        return repr(tool.on_path)

    def obtain(
        self,
        tool: Tool,
        staging: Path,  # noqa: ARG002 — other sources need it
        say: Say,  # noqa: ARG002
    ) -> Mapping[str, Path]:
        """Return the command's own place, which is left alone."""
        wanted = tool.on_path
        if wanted is None:
            raise SourceError("not looked for")
        folders = [
            folder
            for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
            if Path(folder) != self.cache.bin
        ]
        found = shutil.which(wanted.command, path=os.pathsep.join(folders))
        if found is None:
            raise SourceError(f"no {wanted.command}")
        command = Path(found).resolve()
        version = _version_of(command, wanted.version_arguments)
        if not wanted.at_least <= version < wanted.below:
            low, high = (".".join(map(str, v)) for v in (wanted.at_least, wanted.below))
            shown = ".".join(map(str, version))
            raise SourceError(f"{command} is {shown}; wanted: {low} or later, below {high}")
        files = [command, *(command.parent / name for name in wanted.beside)]
        absent = [str(path) for path in files if not path.is_file()]
        if absent:
            raise SourceError(f"{command} lacks {', '.join(absent)}")
        return {str(path): path for path in files}


def _version_of(command: Path, arguments: tuple[str, ...]) -> tuple[int, ...]:
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [command, *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env=environment,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceError(f"{command} does not run: {error}") from error
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", answer)
    if not found:
        raise SourceError(f"{command} does not say its version: {answer.strip()!r}")
    return tuple(map(int, found.groups()))
