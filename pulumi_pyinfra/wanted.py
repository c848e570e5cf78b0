"""A deploy on a group of hosts as one update wants it, read from the engine's inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import protocol, typed
from .rollout import digest
from .typed import UNKNOWN, Fault, has_unknowns

TYPE = "pyinfra:index:Deploy"
RESULTS = ("applied", "hostKeys", "drift", "settled")
"""What stands beside the inputs in the state."""
_IMPORT_PATHS = ("deploy", "leave", "on_delete")
_IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Chroot:
    """A folder of this machine with a system in it."""

    chroot: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """In which order hosts are changed, and what must hold before the next ones are."""

    serial: int = 1
    canary: bool = True
    together_at_first: bool = False
    last: tuple[str, ...] = ()
    last_if: str | None = None
    probe: str | None = None
    probe_seconds: int = 60

    def __post_init__(self) -> None:
        wrong = [
            f"{name}: must be at least 1, got {number}"
            for name, number in (("serial", self.serial), ("probe_seconds", self.probe_seconds))
            if number < 1
        ]
        wrong += _no_import_paths({"probe": self.probe, "last_if": self.last_if})
        if wrong:
            raise ValueError("\n".join(wrong))


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedHost:
    """One host of the group."""

    connector: object = field(repr=False)
    arguments: object = field(default_factory=dict, repr=False)
    machine: object = None

    def __post_init__(self) -> None:
        wrong = list(map(str, typed.read(*_form(self.connector), "connector").faults))
        if self.connector not in ("local", UNKNOWN) and not isinstance(self.connector, Mapping):
            wrong = ["connector: expected an Ssh, a Chroot or local"]
        if self.arguments != UNKNOWN and not isinstance(self.arguments, Mapping):
            wrong.append("arguments: expected keys and values")
        if wrong:
            raise ValueError("\n".join(wrong))

    @property
    def exists(self) -> bool:
        """Whether how to reach it is known; a preview of a new machine does not know it."""
        return not has_unknowns([self.connector, self.machine])

    def reach(self, name: str, **more: object) -> protocol.Host:
        """Return the host, told ``more``, as a worker is told of it."""
        own = self.arguments if isinstance(self.arguments, Mapping) else {}
        told = protocol.Host(name=name, arguments={**own, **more})
        match typed.read(*_form(self.connector)).value:
            case protocol.Ssh() as ssh:
                return replace(told, ssh=ssh)
            case Chroot(chroot=folder):
                return replace(told, chroot=folder)
            case "local":
                return replace(told, connector="local")
        return told


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What one resource wants."""

    deploy: str
    hosts: Mapping[str, WantedHost]
    arguments: object = field(default_factory=dict, repr=False)
    sudo: bool = False
    rollout: Rollout = field(default_factory=Rollout)
    leave: str | None = None
    gone: tuple[str, ...] = ()
    on_delete: str | None = None
    source_hash: str = ""

    @classmethod
    def parse(cls, inputs: Mapping[str, Any]) -> Wanted:
        """Return what checked inputs say."""
        reading = typed.read(cls, _told(inputs))
        if not isinstance(reading.value, cls):
            said = [*map(str, reading.faults), *(f"{p}: not known yet" for p in reading.unknown)]
            raise ValueError("; ".join(said))  # noqa: TRY004 - what is wrong is in the value
        # By name: the wire keeps no order of keys.
        return replace(reading.value, hosts=dict(sorted(reading.value.hosts.items())))

    def knows(self, name: str) -> bool:
        """Whether what a host is told is more than a promise: single values may still be one."""
        return UNKNOWN not in (self.arguments, self.hosts[name].arguments)

    def digests(self) -> dict[str, str]:
        """Return, by host, the digest of all that decides what it becomes."""
        return {
            name: digest(self.source_hash, self.deploy, self.sudo, self.arguments, host.arguments)
            for name, host in self.hosts.items()
        }


def faults(inputs: Mapping[str, Any]) -> list[Fault]:
    """Return every fault in the shape of the inputs; what is not known yet is none."""
    told = _told(inputs)
    reading = typed.read(Wanted, told)
    found = list(reading.faults)
    found += [
        Fault(*fault.split(": ", 1))
        for fault in _no_import_paths({key: told.get(key) for key in _IMPORT_PATHS})
    ]
    hosts = told.get("hosts")
    if hosts == UNKNOWN:
        who = "must be known when the plan is made: its keys are who is in the group"
        found.append(Fault("hosts", who))
    elif isinstance(hosts, Mapping):
        found += _wrong_names(hosts, told)
    return found


def _wrong_names(hosts: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[Fault]:
    if not hosts:
        yield Fault("hosts", "must name at least one host")
    for name in (told.get("rollout") or {}).get("last") or ():
        if name not in hosts:
            there = ", ".join(sorted(hosts))
            yield Fault("rollout.last", f"{name} is no host of the group; there are {there}")
    for name in told.get("gone") or ():
        if name in hosts:
            yield Fault("gone", f"{name} is still a host of the group; take it out of hosts too")


def _told(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs by the names that a program in Python gives them."""
    told = {_snake(key): value for key, value in inputs.items() if key not in RESULTS}
    if isinstance(told.get("rollout"), Mapping):
        told["rollout"] = {_snake(key): value for key, value in told["rollout"].items()}
    return told


def _form(connector: object) -> tuple[object, object]:
    """Return the kind that a connector is meant to be, and the connector as that is read."""
    if not isinstance(connector, Mapping):
        return Literal["local"], connector
    if "chroot" in connector:
        return Chroot, connector
    return protocol.Ssh, _ssh(connector)


def _ssh(connector: Mapping[str, Any]) -> dict[str, Any]:
    told = {_snake(key): value for key, value in connector.items()}
    if isinstance(bastion := told.get("bastion"), Mapping):
        told["bastion"] = _ssh(bastion)
    return told


def _snake(key: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


def _no_import_paths(paths: Mapping[str, object]) -> list[str]:
    return [
        f"{name}: must be an import path like package.module:function, got {path}"
        for name, path in paths.items()
        if isinstance(path, str) and path != UNKNOWN and not _IMPORT_PATH.fullmatch(path)
    ]
