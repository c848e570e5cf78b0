"""The worker's end of the protocol: the request and a cancellation in, masked events out."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import fields, replace
from typing import Any, TextIO

import gevent
from gevent.event import Event as Flag
from gevent.queue import Queue
from gevent.socket import wait_read

from ..protocol import Event, Finished, Request, Unreachable, event_to_json
from .masking import Masker

# What names things is not masked: a secret that is a common word must not break the protocol.
_PLAIN_FIELDS = {"host", "status"}
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Channel:
    """Owns stdin and stdout; whatever else prints lands, masked, on stderr."""

    def __init__(self) -> None:
        self._masker = Masker(())
        self._secrets: set[str] = set()
        self._lines: Queue[bytes | None] = Queue()
        self._pending = b""
        self._out = os.dup(1)
        # Nothing that prints by itself, in Python or below, may break the protocol.
        os.dup2(2, 1)
        sys.stdout = sys.stderr = _Masked(sys.stderr, self)
        self.cancelled = Flag()
        """Set once no other operation may start."""
        self.abandoned = Flag()
        """Set once nobody listens any more; cancelled then, too."""
        self.changing = False
        """Whether hosts are being changed, so that what runs must come to its end."""
        self.ended: set[str] = set()
        """The hosts of which nothing more will be said."""

    def receive(self) -> Request | None:
        """Return the next request, or nothing when there is none left; its secrets are masked."""
        line = self._lines.get()
        if line is None:
            return None
        request = Request.from_json(line)
        # What is still said of an earlier one must not show its secrets.
        self._secrets |= {*request.all_secrets()}
        self._masker = Masker(sorted(self._secrets))
        self.changing = False
        self.ended.clear()
        return request

    def listen(self) -> None:
        """Take requests, and watch for a cancellation: a line, a signal, or the end of stdin."""
        for number in _SIGNALS:
            gevent.signal_handler(number, self._cancel)
        gevent.spawn(self._listen)

    def send(self, event: Event) -> None:
        """Write an event, masked."""
        if isinstance(event, Finished | Unreachable):
            self.ended.add(event.host)
        line = event_to_json(self._masked(event)) + "\n"
        view = memoryview(line.encode())
        try:
            while view:
                view = view[os.write(self._out, view) :]
        except BrokenPipeError:
            self._abandon()

    def mask(self, text: str) -> str:
        """Return a text without secrets."""
        return self._masker.mask(text)

    def _masked(self, event: Event) -> Event:
        changes: dict[str, Any] = {}
        for f in fields(event):
            value = getattr(event, f.name)
            if f.name in _PLAIN_FIELDS:
                continue
            if isinstance(value, str):
                changes[f.name] = self.mask(value)
            elif isinstance(value, tuple):
                changes[f.name] = tuple(map(self.mask, value))
        return replace(event, **changes)

    def _listen(self) -> None:
        while (line := self._line()) is not None:
            if _says_cancel(line):
                self._cancel()
            else:
                self._lines.put(line)
        self._abandon()

    def _abandon(self) -> None:
        self.abandoned.set()
        self._cancel()

    def _cancel(self) -> None:
        self.cancelled.set()
        self._lines.put(None)  # whoever waits for a request waits no more

    def _line(self) -> bytes | None:
        """Return the next line of stdin, None at its end."""
        while b"\n" not in self._pending:
            wait_read(0)
            read = os.read(0, 1 << 16)
            if not read:
                return None
            self._pending += read
        line, _, self._pending = self._pending.partition(b"\n")
        return line


class _Masked:
    """A stderr that shows no secret."""

    def __init__(self, stream: TextIO, channel: Channel) -> None:
        self._stream = stream
        self._channel = channel

    def write(self, text: str) -> int:
        self._stream.write(self._channel.mask(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it is the stream's
        return getattr(self._stream, name)


def _says_cancel(line: bytes) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("cancel") is True
