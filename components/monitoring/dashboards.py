"""Pictures as code: what each shows stands in ``components/dashboards``, Grafana's JSON is made of
it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from .names import Body

DASHBOARDS = Path(__file__).parents[1] / "dashboards"

Unit = Literal["percent", "bytes", "s", "reqps", "short", "Bps"]
_WIDTH, _HEIGHT, _ACROSS = 12, 8, 2
_SOURCE = {"type": "prometheus", "uid": "prometheus"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One picture: lines by their legend."""

    title: str
    lines: Mapping[str, str]
    """Expressions by the legend, in which Grafana fills in ``{{label}}``."""
    unit: Unit = "short"
    levels: Mapping[str, float] = field(default_factory=dict)
    """Where a line turns another colour."""

    def body(self, number: int) -> Body:
        """Return it at its place."""
        steps: list[Body] = [{"color": "green", "value": None}]
        steps += [{"color": colour, "value": value} for colour, value in self.levels.items()]
        shown = {"thresholdsStyle": {"mode": "line" if self.levels else "off"}, "fillOpacity": 10}
        return {
            "id": number + 1,
            "type": "timeseries",
            "title": self.title,
            "datasource": _SOURCE,
            "gridPos": {
                "x": _WIDTH * (number % _ACROSS),
                "y": _HEIGHT * (number // _ACROSS),
                "w": _WIDTH,
                "h": _HEIGHT,
            },
            "fieldConfig": {
                "defaults": {
                    "unit": self.unit,
                    "custom": shown,
                    "thresholds": {"mode": "absolute", "steps": steps},
                },
                "overrides": [],
            },
            "options": {"tooltip": {"mode": "multi"}, "legend": {"displayMode": "list"}},
            "targets": [
                {
                    "refId": chr(ord("A") + index),
                    "datasource": _SOURCE,
                    "expr": expression,
                    "legendFormat": legend,
                }
                for index, (legend, expression) in enumerate(self.lines.items())
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Dashboard:
    """Pictures that are looked at together."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def uid(self) -> str:
        """Return by what it is known in addresses."""
        return self.title.lower().replace(" ", "-")

    @property
    def body(self) -> Body:
        """Return Grafana's JSON."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["declared"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "panels": [panel.body(number) for number, panel in enumerate(self.panels)],
        }


def read(name: str) -> Dashboard:
    """Return the dashboard of a file."""
    document = yaml.safe_load((DASHBOARDS / f"{name}.yaml").read_text("utf-8"))
    panels = tuple(Panel(**panel) for panel in document["panels"])
    return Dashboard(title=document["title"], panels=panels)


def dashboards(*, database: bool) -> tuple[Dashboard, ...]:
    """Return what is drawn of a stack."""
    names = ("machines", "cluster", "way_in", *(("database",) if database else ()))
    return tuple(read(name) for name in names)
