"""What is measured side by side: rows of one table, taken in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .cost import Command, Cost


def _nothing() -> None:
    pass


def _accepted(_: Cost) -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One contender's way to do it."""

    name: str
    command: Callable[[], Command]
    setup: Callable[[], None] = _nothing
    """Done once, before the first round."""
    before: Callable[[], None] = _nothing
    """Puts everything as it must be before; not measured."""
    after: Callable[[Cost], Mapping[str, float]] = _accepted
    """Raises if it was not done; may add figures of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Rows on the same hosts."""

    part: str
    """Such as ``B2``."""
    size: str
    """In words, such as ``3 hosts, 18 operations``."""
    hosts: int
    rows: Sequence[Row]
    setup: Callable[[], None] = _nothing
    """Done once, before all rows are set up."""
    most_rounds: int = 100
    """No more rounds than that, however many are asked for."""
    budget_seconds: float = 25
    """Who has used that much of it takes no further round."""
