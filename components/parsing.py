"""From what a stack file says to typed sections, each on its own.

A section, or a machine, that is not valid takes no other with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .explain import explain
from .faults import Fault, Path
from .sections import Machine, Machines
from .values import MachineName

Raw = Mapping[str, object]
"""A stack file's keys, without namespace, and what stands under them."""


def parse_sections(types: Mapping[str, Any], raw: Raw) -> tuple[dict[str, Any], list[Fault]]:
    """Return the sections of ``raw`` that are valid, and the faults of those that are not."""
    parsed: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, kind in types.items():
        if name not in raw:
            continue
        if name == "machines" and isinstance(raw[name], Mapping):
            parsed[name], found = _machines(raw[name])
        else:
            value, found = _parse((name,), kind, raw[name])
            parsed |= {} if found else {name: value}
        faults += found
    return parsed, faults


def _machines(raw: Any) -> tuple[Machines, list[Fault]]:  # noqa: ANN401 - not checked yet
    machines: dict[str, Machine] = {}
    faults: list[Fault] = []
    for name, value in raw.items():
        path = ("machines", str(name))
        _, misnamed = _parse(path, MachineName, str(name))
        machine, found = _parse(path, Machine, value)
        faults += misnamed + found
        if not found:
            machines[name] = machine
    return MappingProxyType(machines), faults


def _parse(path: Path, kind: Any, value: object) -> tuple[Any, list[Fault]]:  # noqa: ANN401 - a type
    adapter = _adapter(kind)
    try:
        # JSON, since strictness then still reads text as an address or a time.
        return adapter.validate_json(json.dumps(value, default=str), strict=True), []
    except ValidationError as error:
        return None, list(explain(path, adapter, error))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type
    return TypeAdapter(kind)
