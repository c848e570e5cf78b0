"""``docs/benchmarks.svg``: the headline figures as bars, each group on a scale of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .result import Result, Results

_WIDTH, _LABEL, _BAR, _ROW, _GAP, _TITLE, _MARGIN = 920, 190, 560, 22, 18, 24, 20
_COLOURS = {"ours": "#1f6feb", "peer": "#8b949e", "floor": "#d0d7de"}
_FONT = 'font-family="system-ui, DejaVu Sans, sans-serif" font-size="13" fill="#1f2328"'


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    part: str
    size: str
    title: str
    rows: Sequence[tuple[str, str]]
    """The name of a row, and how the picture calls it."""


def _run(ours: str, label: str) -> list[tuple[str, str]]:
    return [(ours, label), *((n, n) for n in ("pyinfra", "Ansible + Mitogen", "Ansible"))]


def _unchanged(suffix: str) -> list[tuple[str, str]]:
    return [(f"{n}, {suffix}", n) for n in ("pyinfra", "Ansible + Mitogen", "Ansible")]


_FLOOR = ("shell over ssh", "shell over ssh")
_UP = "ours: pulumi up"
_UNCHANGED = [
    (_UP, _UP),
    ("ours: pulumi up --refresh, looks inside", "ours: up --refresh"),
    *_unchanged("run"),
    _FLOOR,
]
_GROUPS = (
    _Group(
        part="B1",
        size="10 hosts, 18 operations",
        title="First converge, 10 hosts, 18 operations each (no package is installed)",
        rows=[*_run(_UP, _UP), _FLOOR],
    ),
    _Group(
        part="B2",
        size="3 hosts, 18 operations",
        title="Nothing to do, 3 hosts",
        rows=_UNCHANGED,
    ),
    _Group(
        part="B2",
        size="50 hosts, 18 operations",
        title="Nothing to do, 50 hosts",
        rows=_UNCHANGED,
    ),
    _Group(
        part="B2",
        size="3 hosts, 18 operations",
        title="Dry run that looks at 3 hosts",
        rows=[("our worker alone, dry run", "our worker alone"), *_unchanged("dry run")],
    ),
    _Group(
        part="B7",
        size="50 ms",
        title="The same over a way of 50 ms a round trip",
        rows=_run("our worker alone", "our worker alone"),
    ),
    _Group(
        part="B8",
        size="1 of 50 hosts, 18 operations",
        title="One change on one of 50 hosts; peers are not told which",
        rows=[*_run(_UP, _UP), _FLOOR],
    ),
)


def drawn(results: Results) -> str:
    """Return the picture."""
    body: list[str] = []
    y = _MARGIN
    for group in _GROUPS:
        found = [(results.find(group.part, group.size, n), label) for n, label in group.rows]
        bars = [(row, label) for row, label in found if row]
        if bars:
            body.append(_text(_MARGIN, y + 12, group.title, "font-weight: 600"))
            y += _TITLE
            body += _bars(bars, y)
            y += _ROW * len(bars) + _GAP
    about = results.about
    foot = (
        f"Seconds, median of up to {about['rounds']} rounds; line: from lowest to highest; "
        f"in brackets: how many times our first bar; {about['date']}"
    )
    body.append(_text(_MARGIN, y + 8, foot, "font-size: 11px; fill: #59636e"))
    height = y + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="Benchmarks" '
        f'{_FONT}>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _bars(bars: Sequence[tuple[Result, str]], y: int) -> list[str]:
    longest = max(max(row.figures["seconds"]) for row, _ in bars)
    ours = bars[0][0].median()
    start = _LABEL + _MARGIN
    drawn = []
    for row, label in bars:
        median, values = row.median(), row.figures["seconds"]
        width, low, high = (_BAR * v / longest for v in (median, min(values), max(values)))
        times_ours = "" if row.kind == "ours" else f"  ({median / ours:.2g}x)"
        drawn += [
            _text(start - 8, y + 14, label, "text-anchor: end"),
            f'<rect x="{start}" y="{y + 3}" width="{max(width, 2):.1f}" height="15" rx="2" '
            f'fill="{_COLOURS[row.kind]}"/>',
            f'<path d="M{start + low:.1f} {y + 10.5}H{start + high:.1f}" stroke="#1f2328"/>',
            _text(start + high + 6, y + 14, f"{median:.3g} s{times_ours}", "font-size: 12px"),
        ]
        y += _ROW
    return drawn


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'
