"""Draw what took how long in a run of the engine: ``python -m ops.timeline EVENTS > run.svg``.

    PULUMI_DEBUG_COMMANDS=true pulumi up --event-log EVENTS

The lab keeps the events of its last ``make up`` beside its project.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, LEFT, RIGHT, ROW, TOP = 960, 330, 60, 20, 64
LONGEST = 46
TICKS = 10
LEAST_SECONDS = 2
"""The engine writes whole seconds: less than this is noise."""
COLOURS = {
    "proxmoxve": ("Proxmox", "#2bb0ed"),
    "hcloud": ("Hetzner", "#2bb0ed"),
    "pyinfra": ("inside the machines", "#3f9142"),
    "kubernetes": ("in the cluster", "#724bb7"),
    "cloudflare": ("Cloudflare", "#f7a23b"),
}
OTHER = ("made here", "#9aa5b1")
STYLE = "text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1f2933 }"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One resource, from its first moment to its last; seconds since the run began."""

    name: str
    package: str
    began: int
    ended: int

    @property
    def seconds(self) -> int:
        """Return how long it took."""
        return self.ended - self.began


def bars(lines: Iterable[str]) -> list[Bar]:
    """Read the engine's events; what is only made of others is not among them."""
    events = [json.loads(line) for line in lines]
    first = min((event["timestamp"] for event in events), default=0)
    began: dict[str, int] = {}
    found = []
    for event in events:
        if step := event.get("resourcePreEvent"):
            began[step["metadata"]["urn"]] = event["timestamp"] - first
        elif step := event.get("resOutputsEvent") or event.get("resOpFailedEvent"):
            urn, kind = step["metadata"]["urn"], step["metadata"]["type"]
            if urn in began and not kind.startswith(("coldstorage:", "pulumi:")):
                found.append(
                    Bar(
                        name=urn.rsplit("::", 1)[1],
                        package=kind.partition(":")[0],
                        began=began[urn],
                        ended=event["timestamp"] - first,
                    )
                )
    return sorted(found, key=lambda bar: (bar.began, bar.ended, bar.name))


def drawing(found: Sequence[Bar]) -> str:
    """Return the bars that took long enough to see, in the order in which they began."""
    long = [bar for bar in found if bar.seconds >= LEAST_SECONDS]
    whole = max((bar.ended for bar in found), default=0)
    height = TOP + len(long) * ROW + 24
    title = (
        f"{len(found)} resources in {whole} s; {len(long)} of them took {LEAST_SECONDS} s or more"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="16" y="22" style="font-size:15px;font-weight:600">{title}</text>',
            *_legend({bar.package for bar in long}),
            *_axis(whole, height),
            *(line for row, bar in enumerate(long) for line in _row(bar, TOP + row * ROW, whole)),
            "</svg>\n",
        ]
    )


def _legend(packages: set[str]) -> Iterator[str]:
    used = dict.fromkeys(COLOURS.get(package, OTHER) for package in sorted(packages))
    for number, (words, colour) in enumerate(used):
        x = 16 + number * 170
        yield f'<rect x="{x}" y="34" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="44">{words}</text>'


def _axis(whole: int, height: int) -> Iterator[str]:
    step = next((s for s in (5, 10, 30, 60, 300) if whole <= TICKS * s), 600)
    for second in range(0, whole + 1, step):
        x = _x(second, whole)
        yield f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{height - 20}" stroke="#e4e7eb"/>'
        yield f'<text x="{x}" y="{height - 6}" text-anchor="middle">{second} s</text>'


def _row(bar: Bar, y: int, whole: int) -> Iterator[str]:
    x, end = _x(bar.began, whole), _x(bar.ended, whole)
    colour = COLOURS.get(bar.package, OTHER)[1]
    # Names differ at their ends.
    name = bar.name if len(bar.name) <= LONGEST else f"…{bar.name[1 - LONGEST :]}"
    yield f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
    yield f'<rect x="{x}" y="{y + 3}" width="{end - x:.1f}" height="13" rx="3" fill="{colour}"/>'
    yield f'<text x="{end + 4:.1f}" y="{y + 13}">{bar.seconds} s</text>'


def _x(second: int, whole: int) -> float:
    return round(LEFT + second / max(whole, 1) * (WIDTH - LEFT - RIGHT), 1)


if __name__ == "__main__":
    if sys.argv[2:] or not sys.argv[1:]:
        raise SystemExit(__doc__)
    sys.stdout.write(drawing(bars(Path(sys.argv[1]).read_text().splitlines())))
