"""Which figures rules and pictures speak of, and which there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from components.monitoring.dashboards import DASHBOARDS
from components.monitoring.monitoring import ALERTS

OFFERED = Path(__file__).with_name("offered.yaml")
"""Every figure that was there when the lab was watched, by job; `KEEP_METRICS=FILE` keeps them."""
LEFT_BY_PROGRAMS = frozenset(
    f"database_{name}"
    for name in (
        "archive_faults",
        "archive_missing_pieces",
        "archive_oldest_waiting_seconds",
        "backup_last_timestamp_seconds",
        "drill_last_proven_timestamp_seconds",
        "drill_last_timestamp_seconds",
        "drill_proven",
        "dump_last_timestamp_seconds",
    )
)
"""What is there once a backup, a dump and a drill were made; the watched tier has no store."""
_WORDS = {"and", "bool", "by", "group_left", "group_right", "ignoring", "offset", "on", "or"}
_WORDS |= {"unless", "without"}
_TEXTS = re.compile(r'"[^"]*"')
_LABELS = re.compile(
    r"\{[^}]*\}|\[[^]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
)
_NAME = re.compile(r"\b[a-zA-Z_][a-zA-Z0-9_:]*\b(?!\s*\()")


def names_in(expression: str) -> set[str]:
    """Return the figures that an expression speaks of."""
    bare = _LABELS.sub(" ", _TEXTS.sub("", expression))
    words = set(_NAME.findall(bare)) - _WORDS
    return {word for word in words if word == "up" or {"_", ":"} & set(word)}


def expressions() -> Iterator[str]:
    """Yield every expression that is declared."""
    for file in ALERTS.glob("*.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])
    for file in DASHBOARDS.glob("*.yaml"):
        for panel in yaml.safe_load(file.read_text())["panels"]:
            yield from panel["lines"].values()


def spoken_of() -> set[str]:
    """Return all figures that anything declared speaks of."""
    return {name for expression in expressions() for name in names_in(expression)}
