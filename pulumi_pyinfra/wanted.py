"""A deploy on a group of hosts as one update wants it, read from the engine's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .rollout import digest
from .values import has_unknowns

_KNOWN = {
    "deploy",
    "hosts",
    "arguments",
    "sudo",
    "rollout",
    "leave",
    "onDelete",
    "sourceHash",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedHost:
    """One host of the group."""

    connector: Mapping[str, Any] | str = field(repr=False)
    arguments: Mapping[str, Any] = field(repr=False)

    @property
    def exists(self) -> bool:
        """Whether how to reach it is known; a preview of a new machine does not know it."""
        return not has_unknowns(self.connector)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What one resource wants."""

    deploy: str
    hosts: Mapping[str, WantedHost]
    arguments: Mapping[str, Any] = field(repr=False)
    sudo: bool
    serial: int
    canary: bool
    last: tuple[str, ...]
    probe: str | None
    probe_seconds: int
    leave: str | None
    on_delete: str | None
    source_hash: str

    @classmethod
    def parse(cls, inputs: Mapping[str, Any]) -> Wanted:
        """Return what checked inputs say."""
        rollout = inputs.get("rollout") or {}
        return cls(
            deploy=inputs["deploy"],
            hosts={
                name: WantedHost(connector=host["connector"], arguments=host.get("arguments") or {})
                # By name: the wire keeps no order of keys.
                for name, host in sorted(inputs["hosts"].items())
            },
            arguments=inputs.get("arguments") or {},
            sudo=bool(inputs.get("sudo")),
            serial=int(rollout.get("serial") or 1),
            canary=bool(rollout.get("canary", True)),
            last=tuple(rollout.get("last") or ()),
            probe=rollout.get("probe"),
            probe_seconds=int(rollout.get("probeSeconds") or 60),
            leave=inputs.get("leave"),
            on_delete=inputs.get("onDelete"),
            source_hash=str(inputs.get("sourceHash") or ""),
        )

    def digests(self) -> dict[str, str]:
        """Return, by host, the digest of all that decides what it becomes."""
        return {
            name: digest(self.source_hash, self.deploy, self.sudo, self.arguments, host.arguments)
            for name, host in self.hosts.items()
        }


def faults(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each fault in the shape of the inputs, as the property and the reason."""
    for key in sorted(inputs.keys() - _KNOWN):
        yield key, f"is not a known input; expected one of {', '.join(sorted(_KNOWN))}"
    for key in ("deploy", "leave", "onDelete"):
        path = inputs.get(key)
        if (key == "deploy" or path is not None) and not _is_import_path(path):
            yield key, f"must be an import path like package.module:function, got {path!r}"
    hosts = inputs.get("hosts")
    if not isinstance(hosts, Mapping) or not hosts:
        yield "hosts", "must name at least one host"
        return
    rollout = inputs.get("rollout") or {}
    if int(rollout.get("serial") or 1) < 1:
        yield "rollout.serial", f"must be at least 1, got {rollout['serial']}"
    for name in rollout.get("last") or ():
        if name not in hosts:
            yield "rollout.last", f"{name} is no host of the group; there are {', '.join(hosts)}"


def _is_import_path(value: object) -> bool:
    if not isinstance(value, str):
        return False
    module, _, name = value.partition(":")
    return name.isidentifier() and all(part.isidentifier() for part in module.split("."))
