"""Pieces of the write-ahead log by their names, and which of them are missing."""

from __future__ import annotations

import re
from collections.abc import Iterable

SIZE = 1 << 24
_IN_ONE_LOG = (1 << 32) // SIZE
_PIECE = re.compile(r"/([0-9A-F]{24})-[0-9a-f]{40}")


def place(name: str) -> tuple[int, int]:
    """Return a piece's timeline, and its number on it."""
    timeline, log, piece = (int(name[n : n + 8], 16) for n in (0, 8, 16))
    return timeline, log * _IN_ONE_LOG + piece


def end_of(name: str) -> int:
    """Return where a piece ends."""
    return (place(name)[1] + 1) * SIZE


def name_of(timeline: int, number: int) -> str:
    """Return what a piece is called."""
    return f"{timeline:08X}{number // _IN_ONE_LOG:08X}{number % _IN_ONE_LOG:08X}"


def pieces(keys: Iterable[str]) -> set[str]:
    """Return the pieces among the names of objects."""
    return {found[1] for key in keys if (found := _PIECE.search(key))}


def missing(found: Iterable[str], since: str) -> list[str]:
    """Return which pieces are not there, from one on to the last of each timeline.

    A timeline begins in the piece in which the one before it ended, or in the next one.
    """
    first_timeline, first = place(since)
    numbers: dict[int, set[int]] = {first_timeline: set()}
    for timeline, number in map(place, found):
        if timeline >= first_timeline and number >= first:
            numbers.setdefault(timeline, set()).add(number)
    gaps = []
    last = first - 1
    for timeline, there in sorted(numbers.items()):
        if there:
            begin = min(*there, last + 1)
            gaps += [(timeline, n) for n in range(begin, max(there) + 1) if n not in there]
            last = max(there)
    return [name_of(*gap) for gap in gaps]
