"""``docs/faults.svg``: the seconds without an acknowledged write, case by case, and the bounds."""

from __future__ import annotations

import statistics
from xml.sax.saxutils import escape

from tests.lab.database.case import SLOWER

from .runs import Fault, Runs

_WIDTH, _LABEL, _ROW, _MARGIN, _HEAD = 980, 430, 22, 20, 46
_BAR = _WIDTH - _LABEL - 2 * _MARGIN - 60
_TICKS = 10
_LONGEST_LABEL = 66
_FONT = 'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12" fill="#1f2328"'


def drawn(runs: Runs) -> str:
    """Return the picture; a fault that was never measured to its end has no bar."""
    faults = [fault for fault in runs.faults if fault.figures("outage") and not fault.last.control]
    longest = max(
        (max(*f.figures("outage"), f.last.within * SLOWER) for f in faults), default=_TICKS
    )
    scale = _BAR / longest
    height = _HEAD + _ROW * len(faults) + 2 * _MARGIN
    body = [_text(_MARGIN, 24, "Seconds without an acknowledged write", "font-weight: 600")]
    body += _grid(longest, scale, height - _MARGIN)
    for row, fault in enumerate(faults):
        body += _bar(fault, _HEAD + _ROW * row, scale)
    foot = f"bar: median; line: least to most; red: bound, times {SLOWER:g} on this computer"
    body.append(_text(_MARGIN, height - 6, foot, "font-size: 11px; fill: #59636e"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="Faults" {_FONT}>\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _grid(longest: float, scale: float, bottom: float) -> list[str]:
    drawn = []
    for seconds in range(0, int(longest) + 1, _TICKS):
        x = _LABEL + _MARGIN + seconds * scale
        drawn.append(f'<path d="M{x:.1f} {_HEAD - 6}V{bottom:.1f}" stroke="#d8dee4"/>')
        drawn.append(_text(x, _HEAD - 10, f"{seconds}", "text-anchor: middle; fill: #59636e"))
    return drawn


def _bar(fault: Fault, y: float, scale: float) -> list[str]:
    values = fault.figures("outage")
    start = _LABEL + _MARGIN
    median, low, high = (scale * v for v in (statistics.median(values), min(values), max(values)))
    bound = start + scale * fault.last.within * SLOWER
    label = f"{fault.last.number}  {fault.last.what}"
    if len(label) > _LONGEST_LABEL:
        label = label[: _LONGEST_LABEL - 1].rstrip() + "…"
    colour = "#1f6feb" if fault.held == len(fault.runs) else "#bf8700"
    return [
        _text(start - 8, y + 14, label, "text-anchor: end"),
        f'<rect x="{start}" y="{y + 4}" width="{max(median, 2):.1f}" height="13" rx="2" '
        f'fill="{colour}"/>',
        f'<path d="M{start + low:.1f} {y + 10.5}H{start + high:.1f}" stroke="#1f2328"/>',
        f'<path d="M{bound:.1f} {y + 2}V{y + 19}" stroke="#cf222e" stroke-width="2"/>',
    ]


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'
