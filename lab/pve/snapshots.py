"""Snapshots of VMs: the configuration here, the content of the disks with the hardware."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from . import power
from .hardware import Log
from .records import Snapshot, Vm
from .refused import Refused

if TYPE_CHECKING:
    from .cluster import Cluster


def create(cluster: Cluster, vm_id: int, name: str, description: str) -> None:
    """Keep a VM as it is now, every disk of it, whoever owns the disk."""
    with cluster.at_work(vm_id) as vm:
        if name in vm.snapshots:
            raise Refused(f"snapshot name '{name}' already used")
        kept = Snapshot(
            config=dict(vm.config), description=description, at=int(time.time()), parent=vm.parent
        )
        cluster.hardware.snapshot(vm, name)
        with cluster.changing():
            vm.snapshots[name], vm.parent = kept, name


def roll_back(cluster: Cluster, vm_id: int, name: str, log: Log, *, start: bool) -> None:
    """Put a VM back to a snapshot, which turns it off; start it again if told."""
    with cluster.at_work(vm_id) as vm:
        kept = _of(vm, name)
        if vm.running:
            cluster.hardware.stop(vm)
        with cluster.changing():
            vm.config, vm.parent, vm.running = dict(kept.config), name, False
        cluster.hardware.roll_back(vm, name)
    if start:
        power.start(cluster, vm_id, log)


def delete(cluster: Cluster, vm_id: int, name: str) -> None:
    """Forget a snapshot."""
    with cluster.at_work(vm_id) as vm:
        kept = _of(vm, name)
        cluster.hardware.delete_snapshot(vm, name)
        with cluster.changing():
            del vm.snapshots[name]
            heirs: list[Snapshot | Vm] = [*vm.snapshots.values(), vm]
            for heir in heirs:
                if heir.parent == name:
                    heir.parent = kept.parent


def _of(vm: Vm, name: str) -> Snapshot:
    if name not in vm.snapshots:
        raise Refused(f"snapshot '{name}' does not exist")
    return vm.snapshots[name]
