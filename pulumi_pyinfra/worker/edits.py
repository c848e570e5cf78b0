"""What pyinfra's operations that edit a file in place would make of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pyinfra.api.host import Host
from pyinfra.facts.files import FileContents
from pyinfra.operations.util.files import adjust_regex, strip_regex_anchors

Edit: TypeAlias = tuple[str, list[str] | None, list[str]]
"""A path, its lines now (None: there is no such file), its lines then."""


def _line(host: Host, asked: Mapping[str, Any]) -> Edit | None:
    """``files.line``: matching lines are replaced or taken out, a missing one is appended."""
    before = host.get_fact(FileContents, path=asked["path"])
    escape = asked["escape_regex_characters"]
    found = re.compile(adjust_regex(asked["line"], escape))
    lines = before or []
    if not asked["present"]:
        after = [line for line in lines if not found.search(line)]
    elif any(map(found.search, lines)):
        after = [found.sub(asked["replace"] or line, line) for line in lines]
    else:
        added = asked["replace"] or asked["line"]
        after = [*lines, added if escape else strip_regex_anchors(added)]
    return asked["path"], before, after


def _replace(host: Host, asked: Mapping[str, Any]) -> Edit | None:
    """``files.replace``: what matches is replaced, once a line unless a flag says more."""
    before = host.get_fact(FileContents, path=asked["path"])
    if before is None:
        return None
    times = 0 if "g" in (asked["flags"] or ()) else 1
    after = [re.sub(asked["text"], asked["replace"], line, count=times) for line in before]
    return asked["path"], before, after


def _block(host: Host, asked: Mapping[str, Any]) -> Edit | None:
    """``files.block``: lines between two marks are written, replaced, or taken out."""
    before = host.get_fact(FileContents, path=asked["path"])
    lines = before or []
    marker = asked["marker"] or "# {mark} PYINFRA BLOCK"
    first = marker.format(mark=asked["begin"] or "BEGIN")
    last = marker.format(mark=asked["end"] or "END")
    content = asked["content"] or []
    wanted = content.split("\n") if isinstance(content, str) else list(content)
    block = [first, *wanted, last] if asked["present"] else []
    if first in lines and last in lines:
        start, end = lines.index(first), lines.index(last) + 1
        return asked["path"], before, [*lines[:start], *block, *lines[end:]]
    if asked["line"]:
        at = _near(lines, adjust_regex(asked["line"], asked["escape_regex_characters"]))
        at += bool(asked["after"])
    else:
        at = 0 if asked["before"] and not asked["after"] else len(lines)
    return asked["path"], before, [*lines[:at], *block, *lines[at:]]


def _near(lines: list[str], pattern: str) -> int:
    return next((i for i, line in enumerate(lines) if re.search(pattern, line)), len(lines))


EDITS: Final[Mapping[str, Callable[[Host, Mapping[str, Any]], Edit | None]]] = {
    "line": _line,
    "replace": _replace,
    "block": _block,
}
