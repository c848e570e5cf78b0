"""A channel whose two output streams are read together, in the order of their arrival.

Both must be read at once: they share one window, and who reads only one of them waits for ever
when the other has filled it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from paramiko import SSHException

from .link import KEEPALIVE

if TYPE_CHECKING:
    from .link import Link

Stream = Literal["stdout", "stderr"]
Sink = Callable[[Stream, bytes], object]

CHUNK = 1 << 18


class Wire:
    """One channel of a connection, running one program on the host."""

    def __init__(self, link: Link, program: str, *, pty: bool = False) -> None:
        self._link = link
        self._channel = link.session()
        self._arrived = threading.Event()
        self._channel.in_buffer.set_event(self._arrived)
        self._channel.in_stderr_buffer.set_event(self._arrived)
        if pty:
            self._channel.get_pty()
        self._channel.exec_command(program.encode("utf-8", "surrogateescape"))

    @property
    def silent(self) -> bool:
        """Whether the program still runs and has written nothing that was not received."""
        return not (self._channel.closed or self._channel.eof_received or self._arrived.is_set())

    def send(self, data: bytes) -> None:
        """Write to the program's standard input; what no longer reads it is no error here."""
        try:
            self._channel.sendall(data)
        except (OSError, EOFError, SSHException):
            return  # its output and its exit code tell more

    def end_input(self) -> None:
        """Let the program's standard input end."""
        self._channel.shutdown_write()

    def receive(self, deadline: float = math.inf) -> list[tuple[Stream, bytes]]:
        """Return what has arrived, waiting for it; nothing when both streams have ended."""
        while True:
            ended = self._channel.eof_received or self._channel.closed
            if received := list(self._pending()):
                return received
            if ended:
                return []
            self._wait(self._arrived, deadline)

    def exit_code(self, deadline: float = math.inf) -> int:
        """Return how the program ended; -1 when a signal ended it."""
        self._wait(self._channel.status_event, deadline)
        code = self._channel.recv_exit_status()
        if code == -1:
            self._link.probe()  # a lost connection looks the same
        return code

    def close(self) -> None:
        """Give the channel back."""
        self._channel.close()

    def _pending(self) -> Iterator[tuple[Stream, bytes]]:
        while self._channel.recv_ready():
            yield "stdout", self._channel.recv(CHUNK)
        while self._channel.recv_stderr_ready():
            yield "stderr", self._channel.recv_stderr(CHUNK)

    def _wait(self, event: threading.Event, deadline: float) -> None:
        """Wait for an event, and make sure now and then that the host is still there."""
        while not event.wait(max(min(deadline - time.monotonic(), KEEPALIVE), 0)):
            if time.monotonic() >= deadline:
                raise TimeoutError
            self._link.probe()
