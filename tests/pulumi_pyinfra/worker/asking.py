"""Asks a worker, and reads what it says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pulumi_pyinfra.protocol import Action, Event, Host, Operation, Request, Ssh, Status
from pulumi_pyinfra.worker_process import Worker
from tests.pulumi_pyinfra.sshd import Sshd

PROGRAM = Path(__file__).resolve().parents[3]
DEPLOYS = "tests.pulumi_pyinfra.deploys"

E = TypeVar("E")


def over_ssh(server: Sshd, **changes: Any) -> Ssh:
    told = {
        "address": server.address,
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "host_keys": (server.host_key,),
    }
    return Ssh(**(told | changes))


def wanted(
    action: str, deploy: str, hosts: Sequence[Host], *, path: Path = PROGRAM, **more: Any
) -> Request:
    name = deploy if "." in deploy else f"{DEPLOYS}.{deploy}"
    told = {"deploy": name, "path": str(path), "hosts": tuple(hosts)}
    return Request(action=Action(action), **told, **more)


def ask(request: Request) -> list[Event]:
    async def listen() -> list[Event]:
        worker = Worker()
        try:
            return [event async for event in worker.events(request)]
        finally:
            if worker.free:
                await worker.close()

    return asyncio.run(asyncio.wait_for(listen(), 30))


def say(line: str) -> tuple[int, str]:
    """Give a worker a line, and return its exit code with all that it writes anywhere."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_pyinfra.worker"],
        cwd=PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # Its stdin stays open: the end of it would be a cancellation.
    with process:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        said = line = process.stdout.readline()
        while line and '"event": "done"' not in line:
            said += (line := process.stdout.readline())
        process.stdin.close()
        said += process.stdout.read()
    return process.returncode, said


def of(kind: type[E], events: Sequence[Event], host: str | None = None) -> list[E]:
    """Return the events of one kind, of one host or of all."""
    return [e for e in events if isinstance(e, kind) and host in (None, getattr(e, "host", None))]


def ended(events: Sequence[Event], host: str | None = None) -> dict[str, Operation]:
    """Return what came of each operation, by its name."""
    told = of(Operation, events, host)
    return {op.name: op for op in told if op.status is not Status.STARTED}


def statuses(events: Sequence[Event], host: str | None = None) -> list[str]:
    """Return how each operation ended, in order."""
    return [op.status.value for op in ended(events, host).values()]


def snapshot(*folders: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that can be seen of the files below folders."""
    found = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            found[str(path)] = (about.st_mode, about.st_uid, about.st_mtime_ns, content)
    return found
