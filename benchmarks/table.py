"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .result import Result, Results

Figure = tuple[str, str]
"""A figure's name and its column's title."""

COLUMNS: Sequence[Figure] = (
    ("seconds", "seconds"),
    ("cpu_seconds", "CPU s, controller"),
    ("host_cpu_seconds", "CPU s, hosts"),
    ("memory_mib", "MiB, controller"),
    ("logins", "logins"),
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first column is text."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def case_table(results: Results, part: str, size: str, extra: Sequence[Figure] = ()) -> str:
    """Return all rows of a case, the quickest first, each against the best peer."""
    rows = results.of(part, size)
    best = best_peer(rows)
    columns = [COLUMNS[0], *extra, *COLUMNS[1:]]
    head = ["", *(title for _, title in columns), "against the best peer", "rounds"]
    return table(head, [_cells(row, columns, best) for row in sorted(rows, key=_order)])


def matrix(results: Results, part: str, names: Sequence[str], figure: str = "seconds") -> str:
    """Return one figure: a row for each contender, a column for each size."""
    sizes = results.sizes(part)
    rows = [
        [name, *(row.shown(figure) if row else "-" for row in _across(results, part, name))]
        for name in names
    ]
    return table(["", *sizes], rows)


def best_peer(rows: Iterable[Result]) -> Result | None:
    """Return the quickest peer."""
    peers = [row for row in rows if row.kind == "peer" and row.rounds]
    return min(peers, key=Result.median, default=None)


def times(quicker: float, slower: float) -> str:
    """Return a ratio as one says it."""
    ratio = slower / quicker
    return f"{ratio:.0f}x" if ratio >= 20 else f"{ratio:.1f}x"  # noqa: PLR2004 - as one says it


def _across(results: Results, part: str, name: str) -> list[Result | None]:
    return [results.find(part, size, name) for size in results.sizes(part)]


def _cells(row: Result, columns: Sequence[Figure], best: Result | None) -> list[str]:
    if not row.rounds:
        return [row.name, f"failed: {row.failure}", *[""] * (len(columns) + 1)]
    shown = [row.shown(figure) for figure, _ in columns]
    rounds = f"{row.rounds}, then failed: {row.failure}" if row.failure else str(row.rounds)
    return [row.name, *shown, _against(row, best), rounds]


def _against(row: Result, best: Result | None) -> str:
    if best is None:
        return ""
    if row is best:
        return "the best peer"
    mine, theirs = row.median(), best.median()
    if mine <= theirs:
        return f"{times(mine, theirs)} faster"
    return f"{times(theirs, mine)} slower"


def _order(row: Result) -> tuple[bool, float]:
    return (not row.rounds, row.median() if row.rounds else 0)
