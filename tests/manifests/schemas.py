"""JSON schemas for kubeconform, from what Kubernetes' and others' makers publish of their kinds.

Strict: a field that a kind does not have is an error, as it is with server-side apply.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
TEMPLATE = "{{.ResourceKind}}_{{.Group}}_{{.ResourceAPIVersion}}.json"
_KINDS, _FREE = "x-kubernetes-group-version-kind", "x-kubernetes-preserve-unknown-fields"
_TEXT_OR_NUMBER = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "number",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "integer",
}
"""The two that are text by their schema, and numbers too by their decoder."""


def write(openapi: Path, custom: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write a file for each kind of Kubernetes, and of the custom resources' definitions."""
    definitions = json.loads(openapi.read_text())["definitions"]
    for name, number in _TEXT_OR_NUMBER.items():
        definitions[name] = {"oneOf": [{"type": "string"}, {"type": number}]}
    for name, schema in definitions.items():
        for kind in schema.get(_KINDS, []):
            reached = {n: strict(definitions[n]) for n in sorted({*_reached(name, definitions)})}
            _named(reached[name], kind["group"], kind["version"], kind["kind"])
            whole = {"$ref": f"#/definitions/{name}", "definitions": reached}
            _write(folder, kind["group"], kind["version"], kind["kind"], whole)
    for definition in custom:
        _write_custom(definition["spec"], folder)


def _write_custom(spec: Mapping[str, Any], folder: Path) -> None:
    group, kind = spec["group"], spec["names"]["kind"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        _named(schema, group, version["name"], kind)
        _write(folder, group, version["name"], kind, schema)


def strict(schema: Any) -> Any:
    """Return a schema that takes no fields but those that it names."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    held = {key: strict(value) for key, value in schema.items()}
    named = held.get("type") == "object" and "properties" in held
    if named and not held.get(_FREE) and "additionalProperties" not in held:
        held["additionalProperties"] = False
    return held


def _named(schema: Schema, group: str, version: str, kind: str) -> None:
    """Have a schema take no other kind."""
    wanted = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}
    for key, value in wanted.items():
        schema["properties"][key] = {"type": "string", "enum": [value]}
    schema["required"] = sorted({*schema.get("required", []), *wanted})


def _reached(name: str, definitions: Mapping[str, Schema]) -> Iterator[str]:
    """Yield a definition and all that it is made of."""
    seen, ahead = set[str](), [name]
    while ahead:
        one = ahead.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        ahead += _references(definitions[one])


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)


def _write(folder: Path, group: str, version: str, kind: str, schema: Schema) -> None:
    # kubeconform takes the version for the group where there is none.
    place = folder / f"{kind.lower()}_{group or version}_{version}.json"
    place.write_text(json.dumps(schema))
