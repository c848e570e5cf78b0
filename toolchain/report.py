"""What a run says: progress, a table, and everything that is missing at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .obtain import Result

STANDIN = "stand-in"


@dataclass(frozen=True, slots=True)
class Progress:
    """Prints each step with the seconds since the start."""

    started: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        """Print one step at once, so that nobody waits before a silent screen."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)


def table(results: Sequence[Result]) -> str:
    """Return a line for each tool: name, version, source and the time it took."""
    rows = [("tool", "version", "source", "time")]
    for result in results:
        stamp, tool = result.stamp, result.tool
        if stamp is None:
            what = f"not here (only for {tool.only_for})" if tool.only_for else "MISSING"
            rows.append((tool.name, tool.version, what, "-"))
            continue
        source = stamp.source.upper() if stamp.source == STANDIN else stamp.source
        took = f"{stamp.seconds:.1f} s" if result.fresh else f"there ({stamp.seconds:.1f} s once)"
        rows.append((tool.name, tool.version, source, took))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    )


def standins(results: Sequence[Result]) -> list[str]:
    """Return one loud line for each tool that is not the real one."""
    return [
        f"STAND-IN: {result.tool.name} is the project's own, not the official one"
        for result in results
        if result.stamp and result.stamp.source == STANDIN
    ]


def missing(results: Sequence[Result]) -> list[str]:
    """Return what a person must do, for every tool that has no source left and is needed."""
    lines = []
    for result in results:
        tool = result.tool
        if result.stamp or tool.only_for:
            continue
        lines.append(f"{tool.name} {tool.version} could not be obtained:")
        lines += [f"  {source}: {reason}" for source, reason in result.failures]
        lines.append(f"  by hand: {tool.by_hand.format(version=tool.version)}")
    return lines
