"""The standard input of a program on a channel, written while its output is read."""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

from .wire import CHUNK

if TYPE_CHECKING:
    from .wire import Wire


class Feed:
    """What is to be read by a program on a host."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest
        self._fault: OSError | None = None

    def into(self, wire: Wire) -> None:
        """Write everything, then let the program's input end."""
        if self._head:
            threading.Thread(target=self._write, args=(wire,), daemon=True).start()
        else:
            wire.end_input()

    def check(self) -> None:
        """Raise what went wrong on our side."""
        if self._fault:
            raise self._fault

    def _write(self, wire: Wire) -> None:
        try:
            wire.send(self._head)
            while chunk := self._rest.read(CHUNK):
                wire.send(chunk)
        except OSError as error:
            self._fault = error
            wire.close()  # not an end of input: half a file must not look whole
        else:
            wire.end_input()
