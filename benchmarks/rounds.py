"""Takes the rows of a case in turn, round after round, and keeps what each cost."""

from __future__ import annotations

import sys
import time
from collections import defaultdict

from .case import Case, Row
from .cost import CommandFailedError, cost_of
from .fleet import Fleet
from .result import Result

_LAST_LINES = 20
# What was not done may show as a file that is not there, or says something else.
FAILURES = (CommandFailedError, OSError, ValueError)


class Rounds:
    """Measures cases on a fleet."""

    def __init__(self, fleet: Fleet, rounds: int) -> None:
        self._fleet, self._rounds = fleet, rounds

    def of(self, case: Case) -> list[Result]:
        """Measure a case; each round begins with another row."""
        began = time.monotonic()
        figures: dict[str, dict[str, list[float]]] = {row.name: {} for row in case.rows}
        failures: dict[str, str] = {}
        used: dict[str, float] = defaultdict(float)
        case.setup()
        for row in case.rows:
            try:
                row.setup()
            except FAILURES as error:
                failures[row.name] = _told(case, row.name, error)
        for number in range(min(self._rounds, case.most_rounds)):
            start = number % len(case.rows)
            for row in [*case.rows[start:], *case.rows[:start]]:
                if row.name in failures or used[row.name] > case.budget_seconds:
                    continue
                row_began = time.monotonic()
                try:
                    for figure, value in self._once(row).items():
                        figures[row.name].setdefault(figure, []).append(round(value, 3))
                except FAILURES as error:
                    failures[row.name] = _told(case, row.name, error)
                used[row.name] += time.monotonic() - row_began
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {case.part}  {case.size}\n")
        return [
            Result(
                part=case.part,
                size=case.size,
                hosts=case.hosts,
                name=row.name,
                figures=figures[row.name],
                failure=failures.get(row.name, ""),
            )
            for row in case.rows
        ]

    def _once(self, row: Row) -> dict[str, float]:
        row.before()
        self._fleet.settle()
        logins, host_cpu = self._fleet.logins(), self._fleet.cpu_seconds()
        cost = cost_of(row.command())
        self._fleet.settle()
        return {
            "seconds": cost.seconds,
            "cpu_seconds": cost.cpu_seconds,
            "memory_mib": cost.memory_mib,
            "logins": self._fleet.logins() - logins,
            "host_cpu_seconds": self._fleet.cpu_seconds() - host_cpu,
            **row.after(cost),
        }


def _told(case: Case, name: str, error: Exception) -> str:
    lines = (str(error).strip() or type(error).__name__).splitlines()
    last = "\n".join(lines[1:][-_LAST_LINES:])
    sys.stderr.write(f"FAILED  {case.part}  {case.size}  {name}: {lines[0]}\n{last}\n")
    return lines[0] if isinstance(error, CommandFailedError) else type(error).__name__
