"""VMs: made, changed, resized and destroyed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import disks, power
from .drives import KEY
from .hardware import Log
from .records import Vm
from .refused import Refused

if TYPE_CHECKING:
    from .cluster import Cluster

NOT_KEPT = (
    "archive",
    "background_delay",
    "bwlimit",
    "digest",
    "force",
    "node",
    "pool",
    "skiplock",
    "start",
    "storage",
    "unique",
    "vmid",
)
"""What a form says besides the configuration."""


def reserve(cluster: Cluster, node: str, form: Mapping[str, str]) -> Vm:
    """Take an id for a VM that is about to be made."""
    cluster.check(node)
    vm_id, pool = int(form["vmid"]), form.get("pool", "")
    if pool and pool not in cluster.pools:
        raise Refused(f"pool '{pool}' does not exist")
    with cluster.changing() as records:
        if vm_id in records.vms:
            taken = f"VM {vm_id} already exists on node '{records.vms[vm_id].node}'"
            raise Refused(f"unable to create VM {vm_id} - {taken}")
        vm = records.vms[vm_id] = Vm(vm_id=vm_id, node=node, pool=pool, lock="create")
    return vm


def build(cluster: Cluster, vm_id: int, form: Mapping[str, str], log: Log) -> None:
    """Make the disks of a VM whose id is reserved; if that fails, nothing of it stays."""
    vm = cluster.vms[vm_id]
    try:
        _set(cluster, vm, form, log)
    except Exception as error:
        disks.free_all(cluster, vm, unreferenced=True)
        with cluster.changing() as records:
            del records.vms[vm_id]
        raise Refused(f"unable to create VM {vm_id} - {error}") from error
    with cluster.changing():
        vm.config = _of_its_own() | vm.config
        vm.lock = ""
    if form.get("start") == "1":
        power.start(cluster, vm_id, log)


def change(cluster: Cluster, vm_id: int, form: Mapping[str, str], log: Log) -> None:
    """Set and delete keys of a configuration."""
    with cluster.at_work(vm_id) as vm:
        for key in filter(None, form.get("delete", "").split(",")):
            if KEY.fullmatch(key) and key in vm.config:
                with cluster.changing():
                    disks.detach(cluster, vm, key)
            else:
                with cluster.changing():
                    vm.config.pop(key, None)
        _set(cluster, vm, {k: v for k, v in form.items() if k != "delete"}, log)


def resize(cluster: Cluster, vm_id: int, key: str, size: str) -> None:
    """Make a disk larger."""
    with cluster.at_work(vm_id) as vm:
        disks.grow(cluster, vm, key, size)


def destroy(cluster: Cluster, vm_id: int, *, unreferenced: bool) -> None:
    """Remove a VM that is off, with the disks that carry its id."""
    with cluster.at_work(vm_id) as vm:
        check_protection(vm)
        if vm.running:
            raise Refused(f"VM {vm_id} is running - destroy failed")
        cluster.hardware.destroy(vm)
        disks.free_all(cluster, vm, unreferenced=unreferenced)
        with cluster.changing() as records:
            del records.vms[vm_id]


def check_protection(vm: Vm) -> None:
    """Refuse to remove what is protected."""
    if vm.config.get("protection") == "1":
        raise Refused(f"can't remove VM {vm.vm_id} - protection mode enabled")


def _of_its_own() -> dict[str, str]:
    """Return what Proxmox adds to a new VM's configuration, asked or not."""
    return {
        "meta": f"creation-qemu=10.0.2,ctime={int(time.time())}",
        "smbios1": f"uuid={uuid.uuid4()}",
        "vmgenid": str(uuid.uuid4()),
    }


def _set(cluster: Cluster, vm: Vm, form: Mapping[str, str], log: Log) -> None:
    for key, value in form.items():
        if key in NOT_KEPT:
            continue
        kept = value
        if KEY.fullmatch(key):
            kept = disks.attached(cluster, vm, key, value)
            log(f"{key}: {kept}")
        with cluster.changing():
            if KEY.fullmatch(key) and key in vm.config:
                disks.make_room(cluster, vm, key, kept)
            vm.config[key] = kept
