"""The runs of all cases, as they are kept in ``docs/faults.json``."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one case."""

    number: str
    what: str
    how: str
    within: float
    at: str
    told: Mapping[str, float]
    failure: str = ""
    control: bool = False
    astray: float = 2
    commit: str = ""
    load: float = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read a run, whatever else was kept of it."""
        return cls(**{key: row[key] for key in cls.__dataclass_fields__ if key in row})


@dataclass(frozen=True)
class Fault:
    """All runs of one case."""

    runs: Sequence[Run]

    @property
    def last(self) -> Run:
        """Return the run that is youngest, whose words are those of the code."""
        return self.runs[-1]

    @property
    def held(self) -> int:
        """Return how many runs kept every promise."""
        return sum(not run.failure for run in self.runs)

    def figures(self, figure: str) -> list[float]:
        """Return a figure of each run that got as far as having it."""
        return [run.told[figure] for run in self.runs if figure in run.told]

    def shown(self, figure: str) -> str:
        """Return a figure as least / median / most."""
        values = self.figures(figure)
        if not values:
            return "-"
        texts = [f"{v:g}" for v in (min(values), round(statistics.median(values), 1), max(values))]
        return texts[0] if len({*texts}) == 1 else " / ".join(texts)

    def most(self, figure: str) -> str:
        """Return the highest of a figure."""
        return f"{max(values):g}" if (values := self.figures(figure)) else "-"


@dataclass(frozen=True)
class Runs:
    """All runs of all cases."""

    about: Mapping[str, Any]
    rows: Sequence[Run]

    @property
    def faults(self) -> list[Fault]:
        """Return the cases in the order of their numbers, the controls at the end."""
        numbers = sorted({run.number for run in self.rows}, key=_order)
        return [Fault([r for r in self.rows if r.number == number]) for number in numbers]

    def more(self, rows: Iterable[Run]) -> Runs:
        """Return these and others."""
        return Runs(self.about, [*self.rows, *rows])

    def save(self, path: Path) -> None:
        """Keep them, a line for each."""
        lines = ",\n".join(json.dumps(asdict(row)) for row in self.rows)
        about = json.dumps(self.about, indent=1)
        path.write_text(f'{{"about": {about},\n"rows": [\n{lines}\n]}}\n')


def load(path: Path) -> Runs:
    """Read what was kept."""
    told = json.loads(path.read_text())
    return Runs(told["about"], [Run.of(row) for row in told["rows"]])


def recorded(path: Path) -> list[Run]:
    """Read what the tests themselves have kept, a line each."""
    return [Run.of(json.loads(line)) for line in path.read_text().splitlines()]


def _order(number: str) -> tuple[bool, int, str]:
    digits = re.search(r"\d+", number)
    return digits is None, int(digits[0]) if digits else 0, number
