"""A command of a contender, and what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

_KEPT = ("HOME", "LANG", "PATH", "USER")
_ROOT = Path(__file__).resolve().parent.parent
_LIMIT = 600.0


class CommandFailedError(Exception):
    """A contender did not do what it was to do; the message ends with what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What is run."""

    argv: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    """Given to it; its standard input then stays open."""
    until: str = ""
    """Its standard input is closed once it has said a line with this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one run cost."""

    seconds: float
    cpu_seconds: float
    """Of the controller: the command with all of its descendants."""
    memory_mib: float
    """The highest sum of all its processes that was seen."""
    began: float
    """When, as the clock of the file system has it."""
    said: str = field(repr=False)
    """The last of what it said."""


def cost_of(command: Command, limit: float = _LIMIT) -> Cost:
    """Run a command and return what it cost; a failure is raised."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    told = asdict(command) | {
        "folder": str(command.folder),
        "variables": {**kept, **command.variables},
        "limit": limit,
    }
    answer = json.loads(_said_by_the_reaper(json.dumps(told)))
    if answer["timed_out"]:
        raise CommandFailedError(f"not done within {limit:.0f} s\n{answer['said']}")
    if answer["code"]:
        raise CommandFailedError(f"ended with {answer['code']}\n{answer['said']}")
    return Cost(
        seconds=answer["seconds"],
        cpu_seconds=answer["cpu_seconds"],
        memory_mib=answer["memory_kib"] / 1024,
        began=answer["began"],
        said=answer["said"],
    )


def _said_by_the_reaper(told: str) -> str:
    reaper = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reaper"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said, _ = reaper.communicate(told)
    except BaseException:
        # Asked, not killed: it has to end what it runs.
        reaper.terminate()
        reaper.wait()
        raise
    if reaper.returncode:
        raise CommandFailedError(f"could not be run: the reaper ended with {reaper.returncode}")
    return said
