"""What was measured, as it is kept in ``docs/benchmarks.json``."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

Kind = Literal["ours", "peer", "floor"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One row of one case, round by round."""

    part: str
    size: str
    hosts: int
    name: str
    figures: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """``seconds``, ``cpu_seconds``, ``memory_mib``, ``logins``, ``host_cpu_seconds`` and more."""
    failure: str = ""

    def median(self, figure: str = "seconds") -> float:
        """Return the median of a figure."""
        return statistics.median(self.figures[figure])

    def shown(self, figure: str = "seconds") -> str:
        """Return the median with its range, if there is one."""
        values = self.figures.get(figure)
        if not values:
            return "-"
        texts = [_short(value) for value in (self.median(figure), min(values), max(values))]
        return texts[0] if texts[1] == texts[2] else f"{texts[0]} ({texts[1]}-{texts[2]})"

    @property
    def rounds(self) -> int:
        """How often it was measured."""
        return len(self.figures.get("seconds", ()))

    @property
    def kind(self) -> Kind:
        """Whose it is; the floor is no tool that one could use in our place."""
        if self.name.startswith("our"):
            return "ours"
        return "peer" if self.name.startswith(("pyinfra", "Ansible")) else "floor"


def _short(value: float) -> str:
    if value == int(value):
        return str(int(value))
    digits = 0 if value >= 100 else 1 if value >= 10 else 2  # noqa: PLR2004 - as many as tell
    return f"{value:.{digits}f}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """One run of the benchmark."""

    about: Mapping[str, Any]
    """Where, when and with what it was run."""
    rows: Sequence[Result]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a run."""
        told = json.loads(path.read_text())
        return cls(about=told["about"], rows=[Result(**row) for row in told["rows"]])

    def save(self, path: Path) -> None:
        """Keep it, a line for each row."""
        lines = ",\n".join(json.dumps(asdict(row)) for row in self.rows)
        about = json.dumps(self.about, indent=1)
        path.write_text(f'{{"about": {about},\n"rows": [\n{lines}\n]}}\n')

    def of(self, part: str, size: str | None = None) -> list[Result]:
        """Return the rows of a part that were measured."""
        return [r for r in self.rows if r.part == part and size in (None, r.size)]

    def sizes(self, part: str) -> list[str]:
        """Return the sizes of a part, in the order in which they were measured."""
        return list(dict.fromkeys(row.size for row in self.of(part)))

    def find(self, part: str, size: str, name: str) -> Result | None:
        """Return a row, if it was measured and did not fail."""
        rows = (r for r in self.of(part, size) if r.name == name and r.rounds)
        return next(rows, None)
