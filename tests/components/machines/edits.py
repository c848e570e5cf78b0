"""Every edit that one can make to the sections which reach the machines, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from pydantic import ValidationError

from components import sections
from components.settings import Settings

REACHING = ("environment", "proxmox", "hetzner", "network", "access", "machines")
CHOICES = [
    *sections.Role,
    *("nbg1", "fsn1", "eu-central", "us-east", "qcow2", "raw"),
    ":".join(["AA"] * 32),
]


@dataclass(frozen=True)
class Edit:
    """One edit of a stack file: what was edited, and what the file then says."""

    path: str
    settings: Settings


def edits(settings: Settings) -> Iterator[Edit]:
    """Yield each value changed to another valid one, each machine and option taken away."""
    for key in REACHING:
        section = getattr(settings, key)
        if section is None:
            continue
        document = _document(section)
        for path in _paths(document):
            yield _changed(settings, key, document, path)
    yield from _taken_away(settings)


def _document(section: Any) -> dict[str, Any]:
    if isinstance(section, sections.Section):
        return section.model_dump(mode="json", exclude_none=True)
    return {name: _document(machine) for name, machine in section.items()}


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _paths(item, (*path, key))
    else:
        yield path


def _changed(
    settings: Settings, key: str, document: dict[str, Any], path: tuple[str | int, ...]
) -> Edit:
    before = _at(document, path)
    for candidate in _others(before):
        try:
            section = _section(settings, key, _with(document, path, candidate))
        except ValidationError:
            continue
        if section != getattr(settings, key):
            return Edit(".".join(map(str, (key, *path))), replace(settings, **{key: section}))
    raise AssertionError(
        f"{key}.{path}: no other valid value than {before!r} is known to this test"
    )


def _section(settings: Settings, key: str, document: dict[str, Any]) -> Any:
    if key == "machines":
        return {name: sections.Machine.model_validate(m) for name, m in document.items()}
    return type(getattr(settings, key)).model_validate(document)


def _others(value: Any) -> Iterator[Any]:
    """Yield values that might be valid in place of ``value``, the likeliest first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1)
    else:
        yield from _other_addresses(value)
        yield from (choice for choice in CHOICES if choice != value)
        yield from (f"{value}x", f"x{value}", f"0{value[1:]}", f"1{value[1:]}", f"{value[:-1]}7")


def _other_addresses(value: str) -> Iterator[str]:
    with suppress(ValueError):
        yield str(IPv4Address(value) + 100)
    with suppress(ValueError):
        yield str(IPv4Network(value).supernet())


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


def _taken_away(settings: Settings) -> Iterator[Edit]:
    machines = settings.machines
    for name, machine in machines.items():
        rest = {other: m for other, m in machines.items() if other != name}
        yield Edit(f"machines.{name}", replace(settings, machines=rest))
        renamed = {f"{name}-b" if other == name else other: m for other, m in machines.items()}
        yield Edit(f"machines.{name}", replace(settings, machines=renamed))
        if machine.data_disk_gib:
            without = _without_data_disk(machine)
            yield Edit(
                f"machines.{name}.data_disk_gib",
                replace(settings, machines={**machines, name: without}),
            )
    if settings.hetzner and settings.hetzner.load_balancer:
        without = settings.hetzner.model_copy(update={"load_balancer": None})
        yield Edit("hetzner.load_balancer", replace(settings, hetzner=without))


def _without_data_disk(machine: sections.Machine) -> sections.Machine:
    proxmox = machine.proxmox and machine.proxmox.model_copy(update={"data_vm_id": None})
    return machine.model_copy(update={"data_disk_gib": None, "proxmox": proxmox})
