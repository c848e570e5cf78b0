"""A worker process and what it says: pyinfra runs there, never in the provider."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from .failures import DeployFailedError
from .protocol import (
    CANCEL,
    Action,
    Done,
    Event,
    Finished,
    Operation,
    Request,
    Status,
    event_from_json,
)

_PARENT = str(Path(__file__).resolve().parent.parent)
_KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "TZ")
_LONGEST_LINE = 64 * 1024 * 1024
_LAST_WORDS = 20
Log: TypeAlias = Callable[[str], Awaitable[None]]
# Half of what was to be looked at must not be taken for all of it.
_ALL_OR_NOTHING = (Action.CHECK, Action.PLAN, Action.ASK)


def _environment() -> dict[str, str]:
    """Return what a worker needs; a passphrase or a token of the engine's is not for deploys."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": _PARENT}


_workers: set[Worker] = set()


def under_way() -> list[str]:
    """Return the operations that change hosts right now, each as ``host: name``."""
    return [f"{host}: {name}" for w in _workers for host, name in sorted(w.running.items())]


class Worker:
    """One worker process, which is asked for one thing after the other.

    It outlives whoever started it only as long as its operations run: the end of its stdin tells
    it that nobody listens any more.
    """

    def __init__(self, log: Log | None = None) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: deque[str] = deque(maxlen=_LAST_WORDS)
        self._listener: asyncio.Task[None] | None = None
        self._cancelled = False
        self.free = True
        """Whether it can be asked for something."""
        self.running: dict[str, str] = {}
        """The operation that changes each host right now."""

    async def events(self, request: Request) -> AsyncIterator[Event]:
        """Ask for something, and yield what is said until it is done."""
        self.free = False
        process = self._process = self._process or await self._start()
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        done = False
        _workers.add(self)
        try:
            await self._tell(request.to_json())
            if self._cancelled:
                await self._tell(CANCEL)
            async for line in process.stdout:
                if not line.endswith(b"\n"):
                    break  # it was killed in the middle of a word
                event = event_from_json(line)
                if isinstance(event, Done):
                    done = True
                    break
                self._hear(event)
                yield event
        finally:
            _workers.discard(self)
            self.free = done and not self._cancelled
            if not self.free:
                code = await self.close()
        if not done:
            complained = "\n".join(self._complaints)
            said = f": {complained}" if complained else ""
            raise DeployFailedError(f"the worker {_end(code)} before it was done{said}")
        if self._cancelled and request.action in _ALL_OR_NOTHING:
            raise DeployFailedError("cancelled")

    async def cancel(self) -> None:
        """Let the running operation finish, and start no other."""
        self._cancelled = True
        if self._process:
            await self._tell(CANCEL)

    async def close(self) -> int:
        """Let it end, and return its exit code."""
        process = self._process
        assert process is not None  # noqa: S101
        assert process.stdin is not None  # noqa: S101
        process.stdin.close()
        code = await process.wait()
        if self._listener:
            await self._listener
        return code

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pulumi_pyinfra.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env=_environment(),
            # Ctrl-C is for the provider, which lets the running operation finish.
            start_new_session=True,
        )
        assert process.stderr is not None  # noqa: S101
        # Read beside, or a worker that says much there would stand still.
        self._listener = asyncio.create_task(self._listen(process.stderr))
        return process

    async def _listen(self, complaints: asyncio.StreamReader) -> None:
        async for line in complaints:
            text = line.decode(errors="replace").rstrip()
            self._complaints.append(text)
            if self._log:
                await self._log(text)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Operation) and event.status is Status.STARTED:
            self.running[event.host] = event.name
        elif isinstance(event, Operation | Finished):
            self.running.pop(event.host, None)

    async def _tell(self, line: str) -> None:
        assert self._process is not None  # noqa: S101
        pipe = self._process.stdin
        if pipe and not pipe.is_closing():
            # A worker that has died is noticed where it is listened to.
            with suppress(ConnectionError):
                pipe.write(f"{line}\n".encode())
                await pipe.drain()


class Workers:
    """As many workers as there is to do at once; one that is free is asked again.

    Most of what a worker costs is its start, and it keeps the connections that it has made.
    """

    def __init__(self, log: Log | None = None) -> None:
        self._log = log
        self._free: list[Worker] = []

    def take(self) -> Worker:
        """Return a worker; ``give_back`` has to follow."""
        return self._free.pop() if self._free else Worker(self._log)

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for later, if it is still of use."""
        if worker.free:
            self._free.append(worker)

    async def close(self) -> None:
        """Let all that are free end."""
        while self._free:
            await self._free.pop().close()


def _end(code: int) -> str:
    """Return in words how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    why = ", as it happens when memory runs out" if name == "SIGKILL" else ""
    return f"was ended by {name}{why},"
