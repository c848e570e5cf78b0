"""Every Kubernetes object that the program declares, as ``kubectl`` would be given it."""

from __future__ import annotations

from typing import Any

from tests.recording import Deployment

Manifest = dict[str, Any]


def manifests(deployed: Deployment) -> list[Manifest]:
    """Return the objects of a program's run, by kind and name."""
    found = [
        _plain(dict(resource.inputs))
        for resource in deployed.resources
        if resource.type.startswith("kubernetes:")
    ]
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


def _plain(value: Any) -> Any:
    """Return whole numbers as such; the engine's protocol has no others."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
