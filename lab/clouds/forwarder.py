"""A TCP forwarder that sends to targets that answer its health checks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

PIECE = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """Where a forwarder listens, and how it asks its targets whether they are well."""

    owner: str
    addresses: tuple[str, ...]
    port: int
    destination: int
    check_port: int
    interval: float
    timeout: float
    retries: int


@dataclass
class Health:
    """What is known of one target: well at the first answer, ill after so many without."""

    well: bool = False
    failed: int = 0

    def note(self, *, answered: bool, retries: int) -> None:
        """Take the result of a check."""
        self.failed = 0 if answered else self.failed + 1
        self.well = answered or (self.well and self.failed < retries)


@dataclass
class Forwarder:
    """Passes connections on to one target after the other; `open_socket` says in which network."""

    listening: Listening
    targets: Callable[[], list[str]]
    open_socket: Callable[[], socket.socket]
    health: dict[str, Health] = field(default_factory=dict)
    _served: int = 0

    async def run(self) -> None:
        """Listen and check until cancelled."""
        servers = [
            await asyncio.start_server(self._pass_on, sock=self._listener(address))
            for address in self.listening.addresses
        ]
        try:
            while True:
                await asyncio.gather(*(self._check(target) for target in self.targets()))
                await asyncio.sleep(self.listening.interval)
        finally:
            for server in servers:
                server.close()

    def _listener(self, address: str) -> socket.socket:
        opened = self.open_socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, self.listening.port))
        return opened

    async def _connect(self, target: str, port: int) -> socket.socket:
        opened = self.open_socket()
        try:
            async with asyncio.timeout(self.listening.timeout):
                await asyncio.get_running_loop().sock_connect(opened, (target, port))
        except BaseException:
            opened.close()
            raise
        return opened

    async def _check(self, target: str) -> None:
        answered = False
        with suppress(OSError):
            (await self._connect(target, self.listening.check_port)).close()
            answered = True
        self.health.setdefault(target, Health()).note(
            answered=answered, retries=self.listening.retries
        )

    def _next(self) -> list[str]:
        """Return the targets that are well, each time beginning with the next one."""
        well = [t for t in self.targets() if self.health.get(t, Health()).well]
        self._served += 1
        first = self._served % len(well) if well else 0
        return well[first:] + well[:first]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for target in self._next():
                try:
                    opened = await self._connect(target, self.listening.destination)
                except OSError:
                    continue
                there = await asyncio.open_connection(sock=opened)
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
                there[1].close()
                break
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes in until it ends, and then say that it did."""
    with suppress(OSError, RuntimeError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
