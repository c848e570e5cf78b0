"""Folders that are built once and kept: by one process at a time, whole or not at all."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .host import HostError, run

Build = Callable[[Path, IO[str]], None]
"""Fills the folder that it is given, and writes down what was said meanwhile."""


def built_once(folder: Path, build: Build) -> Path:
    """Return ``folder``, after having it built if it is not there; its log lies beside it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            # Only the holder of the lock is here, so what lies there is a killed run's.
            run("rm", "-rf", "--one-file-system", partial)
            partial.mkdir(mode=0o755)
            with folder.with_suffix(".log").open("w") as log:
                build(partial, log)
            run("sync", "--file-system", folder.parent)
            partial.rename(folder)
    return folder


def logged(log: IO[str], *command: str | Path, apart: bool = False) -> None:
    """Run a command that dies with us, its words into the log.

    ``apart`` gives it its own mounts and processes, so that none of them stays after it.
    """
    alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    words = ["setpriv", "--pdeathsig", "KILL", *(alone if apart else ()), *map(str, command)]
    log.write(f"$ {' '.join(words)}\n")
    log.flush()
    done = subprocess.run(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        last = "\n".join(Path(log.name).read_text(errors="replace").splitlines()[-8:])
        raise HostError(f"{command[0]}: exit {done.returncode}, see {log.name}:\n{last}")
