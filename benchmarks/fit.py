"""How a cost grows with the number of hosts: a fixed part, and a part for each host."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Self

from .result import Results

_FEWEST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A straight line through medians."""

    fixed: float
    each: float
    points: tuple[int, ...]

    @classmethod
    def of(cls, results: Results, words: str, name: str, figure: str = "seconds") -> Self | None:
        """Fit what a contender took for the same work on more and more hosts."""
        found = {
            row.hosts: row.median(figure)
            for row in results.rows
            if row.part in ("B1", "B3") and row.name == name and row.rounds
            if row.size.endswith(f", {words}")
        }
        if len(found) < _FEWEST:
            return None
        line = statistics.linear_regression(list(found), list(found.values()))
        return cls(fixed=line.intercept, each=line.slope, points=tuple(sorted(found)))

    def at(self, hosts: int) -> float:
        """Return what the line says for a number of hosts."""
        return self.fixed + self.each * hosts
