"""Snapshots of machines before a risky change, to go back to if it fails.

A snapshot holds every disk of a VM, the attached data disk too, as after a power cut. It's a way
back for minutes, not a backup. It isn't a resource: what is gone back to is not what a state says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PREFIX = "pulumi-"
_LONGEST_NAME = 40  # Proxmox's limit.


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Vm:
    """A VM and the node that it is on."""

    node: str
    vm_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One snapshot of a VM."""

    name: str
    description: str


class SnapshotClient(Protocol):
    """What Proxmox is asked for; every call returns when the work is done, or raises."""

    def snapshots(self, node: str, vm_id: int) -> Sequence[Snapshot]:
        """Return all snapshots of a VM."""

    def snapshot(self, node: str, vm_id: int, name: str, description: str) -> None:
        """Make a snapshot without the memory's content."""

    def rollback(self, node: str, vm_id: int, name: str) -> None:
        """Put the disks back to a snapshot; a running VM is stopped for it."""

    def delete_snapshot(self, node: str, vm_id: int, name: str) -> None:
        """Delete a snapshot."""


def name_of(reason: str, at: datetime) -> str:
    """Return the name of a snapshot taken for ``reason``; the caller says when."""
    name = f"{PREFIX}{reason}-{at:%Y%m%d%H%M%S}"
    longest = _LONGEST_NAME - len(name) + len(reason)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", reason) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"reason: must be a word like upgrade-k3s, {longest} letters at most, got {reason!r}"
        )
    return name


def create(
    client: SnapshotClient, vms: Iterable[Vm], *, reason: str, at: datetime, description: str
) -> str:
    """Make a snapshot of all ``vms`` or of none, and return its name."""
    name = name_of(reason, at)
    made: list[Vm] = []
    try:
        for vm in sorted(vms):
            client.snapshot(vm.node, vm.vm_id, name, description)
            made.append(vm)
    except BaseException:
        delete(client, made, name)
        raise
    return name


def ours(client: SnapshotClient, vm: Vm) -> tuple[Snapshot, ...]:
    """Return the snapshots of a VM that were made here, oldest first."""
    found = [s for s in client.snapshots(vm.node, vm.vm_id) if s.name.startswith(PREFIX)]
    return tuple(sorted(found, key=lambda s: s.name.rpartition("-")[2]))


def rollback(client: SnapshotClient, vms: Iterable[Vm], name: str) -> None:
    """Put all ``vms`` back to the snapshot ``name``; none is touched unless each has it."""
    chosen = sorted(vms)
    without = [vm.vm_id for vm in chosen if name not in {s.name for s in ours(client, vm)}]
    if without:
        raise LookupError(f"no snapshot {name} of VM {', '.join(map(str, without))}")
    for vm in chosen:
        client.rollback(vm.node, vm.vm_id, name)


def delete(client: SnapshotClient, vms: Iterable[Vm], name: str) -> None:
    """Delete the snapshot ``name`` wherever it is; one that was not made here is refused."""
    if not name.startswith(PREFIX):
        raise ValueError(f"name: must start with {PREFIX}, got {name!r}")
    for vm in sorted(vms):
        if name in {s.name for s in ours(client, vm)}:
            client.delete_snapshot(vm.node, vm.vm_id, name)
