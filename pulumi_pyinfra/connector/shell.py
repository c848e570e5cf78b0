"""A shell kept open on one channel, which runs command after command."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from .frame import Frame
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self.spoilt = True
        # It greets before it reads anything: a channel takes no input until its program runs, and
        # to wait for that as well would cost a round trip.
        self._greeting = Frame("echo $((6 * 7))")
        self._unanswered = 1
        self._beyond: dict[Stream, bytes] = {}
        self._wire = Wire(link, f"{program} -c '{self._greeting.line}; exec sh'")

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

        deadline = time.monotonic() + PATIENCE
        if self.answer(self._greeting, sink, deadline) is None:
            self._wire.exit_code(deadline)  # a lost connection is no refusal
        # Start-up files may have said something before.
        return not self.spoilt and said.endswith(b"42\n")

    def run(self, frame: Frame, sink: Sink, deadline: float = math.inf) -> int:
        """Run one command and return its exit code; what it writes goes to ``sink``."""
        self.send([frame])
        code = self.answer(frame, sink, deadline)
        return self._last_words(frame, sink, deadline) if code is None else code

    def send(self, frames: Sequence[Frame]) -> None:
        """Let the shell run commands one after the other; ``answer`` is due for each, in order."""
        # Whatever ends this early leaves a shell in the middle of something.
        self.spoilt = True
        self._unanswered = len(frames)
        text = b"".join(frame.text for frame in frames)
        if len(frames) == 1:
            self._wire.send(text)
        else:
            # The first may write so much that the shell does not come to read the last.
            threading.Thread(target=self._wire.send, args=(text,), daemon=True).start()

    def answer(self, frame: Frame, sink: Sink, deadline: float = math.inf) -> int | None:
        """Return the exit code of the next command; None if the shell ended before it."""
        received = list(self._beyond.items())
        while True:
            for stream, data in received:
                if certain := frame.feed(stream, data):
                    sink(stream, certain)
            if (code := frame.exit_code) is not None:
                break
            if not (received := self._wire.receive(deadline)):
                return None
        self._beyond = frame.beyond
        self._unanswered -= 1
        self.spoilt = self._unanswered > 0 or any(self._beyond.values())
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
