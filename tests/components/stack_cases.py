"""Stack files for tests: a base, what differs from it, and what must be said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components import settings
from components.settings import PROJECT as ROOT
from components.settings import Settings

HERE = Path(__file__).resolve().parent
NEIGHBOURS = {"testing": ("production",), "production": ("testing",)}
SECRETS = {
    "proxmox_api_token": "pulumi@pve!canary=0b5f1c9e-1111-4222-8333-944455556666",
    "cloudflare_api_token": "Canary-cloudflare-0123456789abcdefghijkl",
    "hcloud_token": "Canary0hcloud0123456789abcdefghijklmnopqrstuvwxyz0123456789abcde",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One stack file as the program meets it, and what is expected of it."""

    stack: str
    raw: Mapping[str, Any]
    secret_keys: Collection[str]
    neighbours: Mapping[str, Mapping[str, Any]]
    faults: Mapping[str, str]
    warnings: Mapping[str, str]
    patch: Mapping[str, Any]

    def settings(self) -> Settings:
        return settings.parse(self.stack, self.raw, self.secret_keys, self.neighbours)


def read_case(path: Path) -> Case:
    """Return the case that a fixture describes; see any of ``invalid/``."""
    fixture = yaml.safe_load(path.read_text())
    base = fixture.get("base", "testing")
    raw = patched(stack_file(base) | SECRETS, fixture.get("patch", {}))
    neighbours = {
        name: patched(stack_file(name), fixture.get("neighbour", {}))
        for name in NEIGHBOURS.get(base, ())
    }
    return Case(
        stack=base,
        raw=raw,
        secret_keys=fixture.get("encrypted", list(SECRETS)),
        neighbours=neighbours,
        faults=fixture.get("faults", {}),
        warnings=fixture.get("warnings", {}),
        patch=fixture.get("patch", {}),
    )


@cache
def stack_file(name: str) -> dict[str, Any]:
    """Return a stack file of the repository, or of ``systems/``."""
    own = ROOT / f"Pulumi.{name}.yaml"
    return dict(settings.read(own if own.exists() else HERE / "systems" / f"{name}.yaml"))


def patched(value: Any, patch: Any) -> Any:
    """Return ``value`` with ``patch`` laid over it; null takes a key away."""
    if not isinstance(value, Mapping) or not isinstance(patch, Mapping):
        return patch
    merged = {**value, **{key: patched(value.get(key), new) for key, new in patch.items()}}
    return {key: new for key, new in merged.items() if new is not None}
