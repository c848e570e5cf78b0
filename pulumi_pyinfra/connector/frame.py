"""A command as text for a shell that reads its standard input, and its end found in the output.

After the command the shell writes a random mark on both of its streams, on standard output
followed by the exit code. The mark is in no argument and in no variable, so that no command can
write it by accident.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire import Stream

_EXIT_CODE = re.compile(rb" (\d{1,3})\n")
_AS_THEY_ARE = frozenset(range(32, 127)) - set(b"-%'\\") | set(b"\t\n")
_PRINTED = [bytes([b]) if b in _AS_THEY_ARE else b"\\%03o" % b for b in range(256)]


def printed(data: bytes) -> bytes:
    """Return the ``printf`` of a POSIX shell that writes ``data``, whatever bytes it holds."""
    return b"printf '" + b"".join(map(_PRINTED.__getitem__, data)) + b"'"


class Frame:
    """One command and what it writes until its mark."""

    def __init__(self, command: str, stdin: bytes = b"") -> None:
        mark = secrets.token_hex(16)
        # A command never has the shell's own standard input: it would eat the next frame.
        opening, closing = (printed(stdin) + b" | {", b"}") if stdin else (b"{", b"} </dev/null")
        # No single quotes: the line is put between such.
        said = f'printf "{mark} %s\\n" "$?"; printf {mark} >&2'
        self.line = f"{command}; {said}"
        """The command, if it is a simple one, as an argument of ``sh -c``."""
        text = command.encode("utf-8", "surrogateescape")
        self.text = b"\n".join((opening, text, closing, said.encode(), b""))
        """The same for a shell's standard input, whatever the command is."""
        streams: tuple[Stream, ...] = ("stdout", "stderr")
        self._streams = {stream: _Stream(mark.encode()) for stream in streams}

    def feed(self, stream: Stream, data: bytes) -> bytes:
        """Take what arrived, and return what the command wrote of it."""
        return self._streams[stream].feed(data)

    def rest(self, stream: Stream) -> bytes:
        """Return what was held back for a mark that does not come."""
        return self._streams[stream].held

    @property
    def exit_code(self) -> int | None:
        """How the command ended; None before all that it wrote is here."""
        found = _EXIT_CODE.match(self._streams["stdout"].after)
        return int(found[1]) if found and self._streams["stderr"].ended else None

    @property
    def beyond(self) -> dict[Stream, bytes]:
        """What was written after the marks: the next frame's, or by somebody else."""
        out = _EXIT_CODE.sub(b"", self._streams["stdout"].after, count=1)
        return {"stdout": out, "stderr": self._streams["stderr"].after}


class _Stream:
    """A stream that is cut at a mark."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self.ended = False
        self.held = self.after = b""

    def feed(self, data: bytes) -> bytes:
        """Return the part before the mark that ``data`` makes certain."""
        if self.ended:
            self.after += data
            return b""
        before, mark, after = (self.held + data).partition(self._mark)
        if mark:
            self.ended, self.held, self.after = True, b"", after
            return before
        # What is at the end may be the beginning of the mark.
        certain = max(len(before) - len(self._mark) + 1, 0)
        self.held = before[certain:]
        return before[:certain]
