"""Tasks: what takes time runs beside the call that asked for it, which gets the task's id."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from .hardware import Log
from .refused import Refused, WrongParametersError

Work = Callable[[Log], None]
USER = "pulumi@pve!lab"
PARTS = 9
"""Of an id, separated by colons; the last is empty."""


@dataclass
class Task:
    """One task, running or ended."""

    upid: str
    lines: list[str] = field(default_factory=list)
    exit_status: str | None = None
    ended: int | None = None

    @property
    def listed(self) -> dict[str, str | int]:
        """Return its row in the list of tasks."""
        shown = _shown(self.upid)
        if self.exit_status is None or self.ended is None:
            return shown
        return shown | {"endtime": self.ended, "status": self.exit_status}

    @property
    def status(self) -> dict[str, str | int]:
        """Return what Proxmox says of it."""
        shown = _shown(self.upid)
        if self.exit_status is None:
            return shown | {"status": "running"}
        return shown | {"status": "stopped", "exitstatus": self.exit_status}


class Tasks:
    """All tasks since this process began; of earlier ones nobody knows how they ended."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        """How much longer every task takes."""
        self._tasks: dict[str, Task] = {}
        self._numbers = count(1)

    def start(self, node: str, kind: str, subject: str, work: Work) -> str:
        """Begin a task and return its id."""
        what = f"{os.getpid():08X}:{next(self._numbers):08X}:{int(time.time()):08X}"
        task = Task(f"UPID:{node}:{what}:{kind}:{subject}:{USER}:")
        self._tasks[task.upid] = task
        threading.Thread(target=self._run, args=(task, work), name=task.upid, daemon=True).start()
        return task.upid

    def find(self, upid: str) -> Task:
        """Return a task; one of an earlier process was cut off with it."""
        if upid in self._tasks:
            return self._tasks[upid]
        if len(upid.split(":")) != PARTS or not upid.startswith("UPID:"):
            raise WrongParametersError({"upid": f"unable to parse worker upid '{upid}'"})
        return Task(upid, ["the process that ran it is gone"], "unexpected status")

    def latest(self, node: str) -> list[dict[str, str | int]]:
        """Return the rows of a node's tasks, those that run and those that ended."""
        rows = [task.listed for task in list(self._tasks.values())]
        return [row for row in rows if row["node"] == node]

    def _run(self, task: Task, work: Work) -> None:
        ended = "OK"
        try:
            work(task.lines.append)
        except Refused as refusal:
            ended = str(refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, the task has ended with it
            ended = f"{type(error).__name__}: {error}"
        time.sleep(self.delay_seconds)
        task.lines.append("TASK OK" if ended == "OK" else f"TASK ERROR: {ended}")
        task.ended = int(time.time())
        task.exit_status = ended


def _shown(upid: str) -> dict[str, str | int]:
    _, node, pid, number, started, kind, subject, user, _ = upid.split(":")
    return {
        "upid": upid,
        "node": node,
        "pid": int(pid, 16),
        "pstart": int(number, 16),
        "starttime": int(started, 16),
        "type": kind,
        "id": subject,
        "user": user,
    }
