"""A worker process and what it says: pyinfra runs there, never in the provider."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

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
_LAST_WORDS = 2000
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
    """One worker, for one request.

    It outlives whoever started it only as long as its operations run: the end of its stdin tells
    it that nobody listens any more.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False
        self.running: dict[str, str] = {}
        """The operation that changes each host right now."""

    async def events(self) -> AsyncIterator[Event]:
        """Start the worker and yield what it says, until it is done."""
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
        self._process = process
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        # Read beside, or a worker that says much there would stand still.
        complaints = asyncio.create_task(process.stderr.read())
        done = False
        _workers.add(self)
        try:
            await self._tell(self._request.to_json())
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
            process.stdin.close()
        code = await process.wait()
        complained = (await complaints).decode(errors="replace").strip()
        if not done:
            said = f": {complained[-_LAST_WORDS:]}" if complained else ""
            raise DeployFailedError(f"the worker {_end(code)} before it was done{said}")
        if self._cancelled and self._request.action in _ALL_OR_NOTHING:
            raise DeployFailedError("cancelled")

    async def cancel(self) -> None:
        """Let the running operation finish, and start no other."""
        self._cancelled = True
        if self._process:
            await self._tell(CANCEL)

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


def _end(code: int) -> str:
    """Return in words how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    why = ", as it happens when memory runs out" if name == "SIGKILL" else ""
    return f"was ended by {name}{why},"
