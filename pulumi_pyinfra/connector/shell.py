"""A shell kept open on one channel, which runs command after command."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from .frame import Frame
from .wire import Wire

if TYPE_CHECKING:
    from .link import Link
    from .wire import Sink, Stream

PATIENCE = 30
"""Seconds in which a new shell has to answer; a busy host may need many."""

_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Shell:
    """A POSIX shell that reads frames from its standard input."""

    def __init__(self, link: Link, program: str) -> None:
        self.busy = threading.Lock()
        self.busy.acquire()  # who opens a shell has a command for it
        self.spoilt = False
        self._wire = Wire(link, program)

    @property
    def usable(self) -> bool:
        """Whether it waits for a command, and nobody else writes on its streams."""
        return not self.spoilt and self._wire.silent

    def answers(self) -> bool:
        """Return whether a shell is at the other end, and not a forced command or a refusal."""
        said = b""

        def sink(stream: Stream, data: bytes) -> None:
            nonlocal said
            said += data if stream == "stdout" else b""

        self.run(Frame("echo $((6 * 7))"), sink, time.monotonic() + PATIENCE)
        # Start-up files may have said something before.
        return not self.spoilt and said.endswith(b"42\n")

    def run(self, frame: Frame, sink: Sink, deadline: float = math.inf) -> int:
        """Run one command and return its exit code; what it writes goes to ``sink``."""
        # Whatever ends this early leaves a shell in the middle of something.
        self.spoilt = True
        self._wire.send(frame.text)
        while (code := frame.exit_code) is None:
            received = self._wire.receive(deadline)
            for stream, data in received:
                if certain := frame.feed(stream, data):
                    sink(stream, certain)
            if not received:
                return self._last_words(frame, sink, deadline)
        self.spoilt = frame.overrun
        return code

    def close(self) -> None:
        """Give the shell's channel back, whatever runs there."""
        self._wire.close()

    def _last_words(self, frame: Frame, sink: Sink, deadline: float) -> int:
        """Answer for a command that took the shell with it."""
        for stream in _STREAMS:
            if rest := frame.rest(stream):
                sink(stream, rest)
        return self._wire.exit_code(deadline)
