"""Property values of the engine as plain data: which are secret, which are not known yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime import rpc

from .typed import UNKNOWN

_NOT_KNOWN_YET = {
    rpc.UNKNOWN,  # a text, and what Python says of anything
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # true or false
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # keys and values
}
"""What stands on the engine's wire for a value that is not computed yet, by its kind."""


def plain(value: PropertyValue) -> Any:  # noqa: ANN401 - it is JSON
    """Return what a property value holds; whole numbers come back as such, keys sorted.

    The wire keeps no order of keys: a file that is made from them would differ from run to run.
    """
    inner = value.value
    if isinstance(inner, Computed) or (isinstance(inner, str) and inner in _NOT_KNOWN_YET):
        return UNKNOWN
    if isinstance(inner, Mapping):
        return {key: plain(item) for key, item in sorted(inner.items())}
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        return [plain(item) for item in inner]
    if isinstance(inner, float) and inner.is_integer():
        # On the wire every number is a float.
        return int(inner)
    return inner


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """Return a whole set of properties as plain data."""
    return {key: plain(value) for key, value in values.items()}


def wrapped(value: Any) -> PropertyValue:  # noqa: ANN401 - it is JSON
    """Return plain data as a property value."""
    if isinstance(value, Mapping):
        return PropertyValue({key: wrapped(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return PropertyValue([wrapped(item) for item in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def secrets_in(values: Mapping[str, PropertyValue]) -> list[str]:
    """Return every text that is marked secret, to be masked wherever it might show."""
    found: list[str] = []
    for value in values.values():
        _collect(value, found, inside=False)
    return found


def _collect(value: PropertyValue, found: list[str], *, inside: bool) -> None:
    secret = inside or value.is_secret
    inner = value.value
    if isinstance(inner, Mapping):
        for item in inner.values():
            _collect(item, found, inside=secret)
    elif isinstance(inner, str):
        if secret and inner:
            found.append(inner)
    elif isinstance(inner, tuple):
        for item in inner:
            _collect(item, found, inside=secret)
