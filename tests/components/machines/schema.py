"""What the providers' own schemas say forces a replacement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from components.machines.replacements import VM

SCHEMAS = Path(__file__).resolve().parents[3] / "lab" / "standins" / "schemas"

# Decided by code of the provider (CustomizeDiff), which no schema shows. A node counts only where
# the machine may not migrate.
BY_CODE = {VM: {"vmId", "nodeName"}}


@cache
def _package(name: str) -> Mapping[str, Any]:
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def _resource(token: str) -> Mapping[str, Any]:
    package = _package(token.split(":", 1)[0])
    return next(r for r in package["resources"].values() if r["token"] == token)


@cache
def replacing(token: str) -> frozenset[str]:
    """Return the inputs of a resource whose change replaces it; ``disks[].fileId`` is of each."""
    return frozenset(_walk(token, _resource(token)["inputs"], "")) | BY_CODE.get(token, set())


def _walk(token: str, inputs: Mapping[str, Any], above: str) -> Iterator[str]:
    types = _package(token.split(":", 1)[0])["types"]
    for name, spec in inputs.items():
        path = f"{above}{name}"
        if spec.get("willReplaceOnChanges") or spec.get("upstreamRequiresReplace"):
            yield path
        if nested := re.search(r"ref:([\w:]+)", spec["type"]):
            module = token.split(":")[1].rpartition("/")[0]
            inner = types[f"{token.split(':', 1)[0]}:{module}/{nested[1]}"]
            many = "[]" if spec["type"].startswith("array") else ""
            yield from _walk(token, inner, f"{path}{many}.")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a value holds, each with its path as Pulumi writes it."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def of_each(path: str) -> str:
    """Return a path without its indices."""
    return re.sub(r"\[\d+\]", "[]", path)


def inside(path: str, paths: frozenset[str] | set[str] | tuple[str, ...]) -> bool:
    """Return whether ``path`` is one of ``paths`` or below one."""
    return any(re.match(rf"{re.escape(outer)}($|[.\[])", path) for outer in paths)
