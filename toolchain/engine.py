"""The real engine as a command: with the tools that were obtained, in a project's folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .cache import Cache
from .environment import variables


def environment(**more: str) -> dict[str, str]:
    """Return what the engine must find in its environment, and ``more``."""
    tools = Cache.of_this_user()
    path = f"{tools.bin}{os.pathsep}{os.environ['PATH']}"
    return variables(tools) | {"PATH": path} | more


def pulumi(
    folder: Path,
    variables: Mapping[str, str],
    *arguments: str,
    check: bool = True,
    within: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run the engine and return what it said; a failure is an error unless it is expected.

    ``within`` is a command that runs another in some other place.
    """
    done = subprocess.run(
        [*within, "pulumi", "--non-interactive", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        text=True,
        capture_output=True,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"pulumi {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
    return done
