"""Processes that outlive their parents: they come to us, so that their cost is known.

Linux hands an orphan to the nearest ancestor that has asked for it; else it goes to init, and with
it the processor time that it used.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Container
from pathlib import Path

_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Ask for the orphans among the descendants of this process."""
    ctypes.CDLL(None, use_errno=True).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants() -> list[int]:
    """Return the processes that this one is an ancestor of."""
    parents: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = Path(entry.path, "stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    todo = [os.getpid()]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found


def collect(ours: Container[int]) -> float:
    """Collect the orphans that have ended; return the processor time that they had used."""
    seconds = 0.0
    for pid in children(os.getpid()):
        if pid not in ours:
            with contextlib.suppress(ChildProcessError):
                ended, _, used = os.wait4(pid, os.WNOHANG)
                seconds += used.ru_utime + used.ru_stime if ended else 0
    return seconds
