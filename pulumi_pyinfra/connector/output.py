"""What a command wrote, as the lines that pyinfra's facts and operations read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.connectors.util import CommandOutput, OutputLine

if TYPE_CHECKING:
    from .wire import Stream


class Lines:
    """Collects output into lines, in the order in which they were complete."""

    def __init__(self) -> None:
        self._lines: list[OutputLine] = []
        self._open: dict[Stream, list[bytes]] = {"stdout": [], "stderr": []}

    def take(self, stream: Stream, data: bytes) -> None:
        """Add what has arrived."""
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            text = b"".join((*self._open[stream], whole))
            self._add(stream, text.split(b"\n"))
            self._open[stream].clear()
        if rest:
            self._open[stream].append(rest)

    def output(self) -> CommandOutput:
        """Return the lines, with what came after the last newline."""
        for stream, parts in self._open.items():
            if parts:
                self._add(stream, [b"".join(parts)])
                parts.clear()
        return CommandOutput(self._lines)

    def _add(self, stream: Stream, lines: list[bytes]) -> None:
        # pyinfra would lose everything from the first byte on that is not UTF-8.
        self._lines.extend(
            OutputLine(stream, line.decode(errors="backslashreplace")) for line in lines
        )
