"""Texts of files: from ``templates/``, where a name that is missing is an error, or as they are."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
_TEMPLATES = Environment(  # noqa: S701 - configuration files, no pages
    loader=FileSystemLoader(_HERE / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def rendered(template: str, **names: object) -> StringIO:
    """Return a template's text, to be written."""
    return StringIO(_TEMPLATES.get_template(template).render(names))


def as_json(value: object) -> StringIO:
    """Return a value as JSON that reads well, to be written."""
    return StringIO(json.dumps(value, indent=2) + "\n")


def program(file: str) -> StringIO:
    """Return a program of ``on_machine/``, to be written."""
    return StringIO((_HERE / file).read_text(encoding="utf-8"))
