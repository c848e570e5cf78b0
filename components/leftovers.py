"""What a killed run made and its state does not know, found by asking those who have it.

Only what bears this stack's name or mark counts; somebody else's thing under the same name is no
leftover, and the next run refuses it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Something that exists."""

    import_id: str | None
    """By which the provider finds it; None is what cannot be taken over and has to go."""
    seen: str
    """What it looks like, for people."""
    make_ready: Callable[[], None] = nothing
    """What has to be done before it is taken over, or instead of it."""


Ask = Callable[[Inputs], Found | None]
"""Answers whether what the program is about to make is there already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """Something that exists, and under which name the program wants it."""

    type: str
    name: str
    parent: str
    provider: str
    found: Found


def of(wanted: Iterable[Mapping[str, Any]], ask: Mapping[str, Ask]) -> list[Leftover]:
    """Return what of ``wanted``, the plan's new states, is there already."""
    return [
        Leftover(
            type=state["type"],
            name=state["urn"].rsplit("::", 1)[1],
            parent=state["parent"],
            # The reference ends with the provider's id.
            provider=state["provider"].rsplit("::", 1)[0],
            found=found,
        )
        for state in wanted
        if state["type"] in ask and (found := ask[state["type"]](state.get("inputs", {})))
    ]
