"""What a VM's configuration says of the machine that it is to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from urllib.parse import unquote

from .drives import Drive, drives_of
from .records import Disk, Vm
from .refused import Refused

DEFAULT_USER = "debian"
"""Of Debian's cloud images, if cloud-init is told no other."""
_MAC = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """What a machine needs to know to be a VM."""

    name: str
    address: IPv4Interface
    gateway: IPv4Address
    dns: tuple[IPv4Address, ...]
    user: str
    authorized_keys: tuple[str, ...]
    mac: str | None
    root_gib: float
    image: str
    """The file that its first disk was imported from."""
    data: Mapping[str, str]
    """Volume ids of its other disks, by the device that the guest sees."""


def blueprint_of(vm: Vm, volumes: Mapping[str, Disk]) -> Blueprint:
    """Return what a VM is to be, or refuse with all that keeps it from being a machine."""
    config = vm.config
    drives = {key: drive for key, drive in drives_of(config) if drive.is_disk}
    boot = _boot_drive(config, drives)
    devices = {key: device_of(key, drive) for key, drive in drives.items() if key != boot}
    network = dict(part.partition("=")[::2] for part in config.get("ipconfig0", "").split(","))
    disk = volumes.get(drives[boot].volume) if boot else None
    faults = list(_faults(config, disk, network, devices))
    if disk is None or faults:
        raise Refused(f"STAND-IN: VM {vm.vm_id} can't be a machine: {'; '.join(faults)}")
    return Blueprint(
        name=vm.machine or vm.name,
        address=IPv4Interface(network["ip"]),
        gateway=IPv4Address(network["gw"]),
        dns=tuple(IPv4Address(server) for server in config.get("nameserver", "").split()),
        user=config.get("ciuser", DEFAULT_USER),
        authorized_keys=tuple(unquote(config.get("sshkeys", "")).splitlines()),
        mac=found[0] if (found := _MAC.search(config.get("net0", ""))) else None,
        root_gib=disk.gib,
        image=disk.image,
        data={device: drives[key].volume for key, device in devices.items() if device},
    )


def device_of(key: str, drive: Drive) -> str | None:
    """Return the device that QEMU's guests find a drive under, whatever else they have."""
    serial = drive.options.get("serial")
    if key.startswith("scsi"):
        return f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{serial or f'drive-{key}'}"
    if key.startswith("virtio") and serial:
        return f"/dev/disk/by-id/virtio-{serial[:20]}"
    return None


def _boot_drive(config: Mapping[str, str], drives: Mapping[str, Drive]) -> str | None:
    order = config.get("boot", "").partition("order=")[2].split(";")
    return next((key for key in [*order, *sorted(drives)] if key in drives), None)


def _faults(
    config: Mapping[str, str],
    boot: Disk | None,
    network: Mapping[str, str],
    devices: Mapping[str, str | None],
) -> Iterator[str]:
    if boot is None or not boot.image:
        yield "boot: no disk that was imported from an image, so nothing would boot"
    for key in ("ip", "gw"):
        try:
            IPv4Interface(network.get(key, ""))
        except ValueError:
            yield f"ipconfig0: {key} must be an IPv4 address, got {network.get(key)!r}"
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", config.get("name", "")):
        yield f"name: must be a host name in small letters, got {config.get('name')!r}"
    for key, device in devices.items():
        if device is None and not key.startswith("unused"):
            yield f"{key}: only scsi disks, and virtio ones with a serial, are emulated"
