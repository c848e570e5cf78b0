"""Disks in the cluster's storages: made, attached, grown and freed as drives of VMs."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from .drives import Drive, drives_of, gib_of, owned_by
from .records import Disk, Vm
from .refused import Refused

if TYPE_CHECKING:
    from .cluster import Cluster

IMAGE_GIB = 3.0
"""What Debian's cloud image says that it is, whatever was downloaded."""
CLOUD_INIT_GIB = 4 / 1024
GIB = 1 << 30


def attached(cluster: Cluster, vm: Vm, key: str, value: str) -> str:
    """Return what the configuration keeps of a drive, whose disk is made if it is a new one."""
    drive = Drive.parse(value)
    if drive.volume in ("none", "cdrom"):
        return str(drive)
    cluster.check(vm.node, drive.storage)
    wanted, source = drive.volume.partition(":")[2], drive.options.get("import-from")
    if wanted == "cloudinit":
        volume = f"{drive.storage}:{vm.vm_id}/vm-{vm.vm_id}-cloudinit.qcow2"
        _take(cluster, volume, Disk(gib=CLOUD_INIT_GIB))
        return str(Drive(volume, {**drive.options, "media": "cdrom"}).kept_as(volume, gib_of("4M")))
    if source is not None:
        if source not in cluster.files:
            raise Refused(f"cannot import from '{source}' - volume '{source}' does not exist")
        volume = _new(cluster, vm, drive)
        _take(cluster, volume, Disk(gib=IMAGE_GIB, image=source))
    elif drive.volume in cluster.volumes:
        volume = drive.volume
    elif re.fullmatch(r"[0-9.]+", wanted):
        volume = _new(cluster, vm, drive)
        _take(cluster, volume, Disk(gib=float(wanted)))
        cluster.hardware.allocate(volume, float(wanted))
    else:
        raise Refused(f"volume '{drive.volume}' of {key} does not exist")
    return str(drive.kept_as(volume, cluster.volumes[volume].gib))


def detach(cluster: Cluster, vm: Vm, key: str) -> None:
    """Take a drive out; the VM's own disk stays as an unused one, and unused ones are freed."""
    drive = Drive.parse(vm.config.pop(key))
    if not owned_by(vm.vm_id, drive.volume):
        return
    if key.startswith("unused") or not drive.is_disk:
        free(cluster, drive.volume)
    else:
        free_key = next(k for n in count() if (k := f"unused{n}") not in vm.config)
        vm.config[free_key] = drive.volume


def make_room(cluster: Cluster, vm: Vm, key: str, value: str) -> None:
    """Take out what is in the place of a drive, unless it is the same disk with other options."""
    if Drive.parse(vm.config[key]).volume != Drive.parse(value).volume:
        detach(cluster, vm, key)


def grow(cluster: Cluster, vm: Vm, key: str, size: str) -> None:
    """Make a drive larger, to a size or by ``+`` so much; Proxmox never shrinks one."""
    if key not in vm.config:
        raise Refused(f"disk '{key}' does not exist")
    drive = Drive.parse(vm.config[key])
    disk = cluster.volumes[drive.volume]
    wanted = gib_of(size.lstrip("+")) + (disk.gib if size.startswith("+") else 0)
    if wanted < disk.gib:
        raise Refused("shrinking disks is not supported")
    fits(cluster, drive.storage, wanted - disk.gib)
    cluster.hardware.grow(vm, drive.volume, wanted)
    with cluster.changing():
        disk.gib = wanted
        vm.config[key] = str(drive.kept_as(drive.volume, wanted))


def free(cluster: Cluster, volume: str) -> None:
    """Remove a disk and what is on it."""
    cluster.hardware.free(volume)
    with cluster.changing() as records:
        records.volumes.pop(volume, None)


def free_all(cluster: Cluster, vm: Vm, *, unreferenced: bool) -> None:
    """Remove the disks of a VM: those that carry its id and that it names, or names or not."""
    configs = [vm.config, *(snapshot.config for snapshot in vm.snapshots.values())]
    named = {drive.volume for config in configs for _, drive in drives_of(config)}
    own = [volume for volume in cluster.volumes if owned_by(vm.vm_id, volume)]
    for volume in own:
        if unreferenced or volume in named:
            free(cluster, volume)


def _take(cluster: Cluster, volume: str, disk: Disk) -> None:
    storage = volume.partition(":")[0]
    with cluster.changing() as records:
        if volume not in records.volumes:
            fits(cluster, storage, disk.gib)
        records.volumes[volume] = disk


def fits(cluster: Cluster, storage: str, more: float) -> None:
    """Refuse what is more than a storage has left."""
    space = cluster.storages[storage]
    if space is None:
        return
    mine = f"{storage}:"
    taken = sum(disk.gib for name, disk in cluster.volumes.items() if name.startswith(mine)) * GIB
    taken += sum(size for name, size in cluster.files.items() if name.startswith(mine))
    if taken + more * GIB > space:
        raise Refused(
            f"storage '{storage}': No space left on device (has {space} bytes, "
            f"{taken:.0f} are taken, {more * GIB:.0f} more were asked for)"
        )


def _new(cluster: Cluster, vm: Vm, drive: Drive) -> str:
    suffix = drive.options.get("format", "raw")
    names = (
        f"{drive.storage}:{vm.vm_id}/vm-{vm.vm_id}-disk-{number}.{suffix}" for number in count()
    )
    return next(name for name in names if name not in cluster.volumes)
