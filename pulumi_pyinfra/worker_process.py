"""A worker process and what it says: pyinfra runs there, never in the provider."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from .failures import DeployFailedError
from .protocol import CANCEL, Done, Event, Request, event_from_json

_PARENT = str(Path(__file__).resolve().parent.parent)
_KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "TZ")
_LONGEST_LINE = 64 * 1024 * 1024


def _environment() -> dict[str, str]:
    """Return what a worker needs; a passphrase or a token of the engine's is not for deploys."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": _PARENT}


class Worker:
    """One worker, for one request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

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
        process.stdin.write(f"{self._request.to_json()}\n".encode())
        if self._cancelled:
            process.stdin.write(f"{CANCEL}\n".encode())
        await process.stdin.drain()
        done = False
        async for line in process.stdout:
            event = event_from_json(line)
            if isinstance(event, Done):
                done = True
                break
            yield event
        process.stdin.close()
        code = await process.wait()
        complained = (await complaints).decode(errors="replace").strip()
        if not done:
            raise DeployFailedError(
                f"the worker ended with {code} before it was done: {complained[-2000:]}"
            )

    async def cancel(self) -> None:
        """Let the running operation finish, and start no other."""
        self._cancelled = True
        if self._process and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(f"{CANCEL}\n".encode())
            await self._process.stdin.drain()
