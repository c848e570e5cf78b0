"""The plain kinds of values that a contract may hold, and how messages call them."""

from __future__ import annotations

import collections.abc
import ipaddress
import types
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, Final

SCALARS: Final = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "nothing",
}
WRITTEN: Final[Mapping[Any, str]] = {
    ipaddress.IPv4Address: "an IPv4 address",
    ipaddress.IPv6Address: "an IPv6 address",
    ipaddress.IPv4Network: "an IPv4 network",
    ipaddress.IPv6Network: "an IPv6 network",
    ipaddress.IPv4Interface: "an IPv4 address with its prefix",
    ipaddress.IPv6Interface: "an IPv6 address with its prefix",
    Path: "a path",
    PurePosixPath: "a path",
}
"""What is made from a text, and what that text is to be."""
SEQUENCES: Final[Mapping[Any, Callable[[Iterable[object]], object]]] = {
    list: list,
    collections.abc.Sequence: tuple,
    collections.abc.Iterable: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Set: frozenset,
}
MAPPINGS: Final = (dict, collections.abc.Mapping)


def kind_of(value: object) -> str:
    """Return what kind of value it is, in words that never show the value."""
    if isinstance(value, Mapping):
        return "keys and values"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return SCALARS.get(type(value), type(value).__name__)


def hint(wrong: object, right: Iterable[str]) -> str:
    """Return the question whether something close was meant, or nothing."""
    close = get_close_matches(str(wrong), right, n=1)
    return f", did you mean {close[0]}?" if close else ""


def scalar(kind: type, value: object) -> object:
    """Return a value as a scalar of a kind, or raise a ``ValueError`` that does not show it."""
    if kind is int and isinstance(value, float) and value.is_integer():
        # On the engine's wire every number is a float.
        return int(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"expected {SCALARS[kind]}, got {kind_of(value)}")
    return value
