"""What an update is at, told while it is at it: one line for each operation on each host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, Self

from .protocol import Event, Finished, Operation, Status, Unreachable

LONG: Final = 3.0
"""Seconds after which an operation that still runs is told of; the rest only when it has ended."""


class Progress:
    """Hears what a worker says while it changes hosts."""

    def __init__(self, say: Callable[[str], Awaitable[None]]) -> None:
        self._say = say
        self._running: dict[str, tuple[str, asyncio.Task[None]]] = {}

    async def hear(self, event: Event) -> None:
        """Tell what has come to its end."""
        match event:
            case Operation(host=host, name=name, status=Status.STARTED):
                self._running[host] = (name, asyncio.create_task(self._tell_long(host, name)))
            case Operation(host=host, name=name, status=status):
                self._ended(host)
                await self._say(f"{host}: {name}: {status}")
            case Finished(host=host):
                self._ended(host)
                skipped = f", {event.skipped} not started" if event.skipped else ""
                counts = f"{event.changed} changed, {event.unchanged} unchanged{skipped}"
                await self._say(f"{host}: {counts}")
            case Unreachable(host=host, reason=reason):
                await self._say(f"{host}: unreachable: {reason}")

    @property
    def running(self) -> Mapping[str, str]:
        """Return the operation that runs on each host."""
        return {host: name for host, (name, _) in self._running.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _, timer in self._running.values():
            timer.cancel()

    def _ended(self, host: str) -> None:
        _, timer = self._running.pop(host, ("", None))
        if timer:
            timer.cancel()

    async def _tell_long(self, host: str, name: str) -> None:
        await asyncio.sleep(LONG)
        await self._say(f"{host}: {name}: running")
