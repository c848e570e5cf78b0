"""What an emulated Proxmox cluster knows: VMs, volumes, pools, firewalls and finished tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count

DISK = re.compile(r"^(scsi|virtio|sata|ide|efidisk|tpmstate)\d+$")
INTEGERS = {"cores", "sockets", "onboot", "protection", "tablet", "acpi", "template", "numa", "kvm"}
IMAGE_GIB = 3.0


class Refused(Exception):  # noqa: N818 - it is an answer, not an accident
    """What Proxmox VE answers instead of doing it: a 500 with a sentence."""


@dataclass(frozen=True)
class Snapshot:
    """A VM as it once was; of its disks the record knows only which there were."""

    config: dict[str, str]
    description: str


@dataclass
class Vm:
    """One VM record: its configuration as Proxmox stores it, and its firewall."""

    vm_id: int
    node: str
    config: dict[str, str]
    running: bool = False
    firewall: dict[str, str] = field(default_factory=dict)
    rules: list[dict[str, str]] = field(default_factory=list)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)


@dataclass
class Cluster:
    """The whole state, and the operations that the API offers on it."""

    nodes: tuple[str, ...] = ("pve",)
    firewall: bool = True
    vms: dict[int, Vm] = field(default_factory=dict)
    volumes: dict[str, float] = field(default_factory=dict)
    """Size in GiB of every disk, by volume id."""
    files: dict[str, int] = field(default_factory=dict)
    """Size in bytes of every downloaded file, by volume id."""
    pools: dict[str, str] = field(default_factory=dict)
    _task: count[int] = field(default_factory=lambda: count(1))

    def task(self, node: str, kind: str, subject: str) -> str:
        """Return the id of a task, which is already finished: every operation is instant here."""
        return f"UPID:{node}:{next(self._task):08X}:00000001:00000001:{kind}:{subject}:lab@pve:"

    def vm(self, vm_id: int) -> Vm:
        """Return a VM, or refuse in Proxmox's words."""
        if vm_id not in self.vms:
            path = f"nodes/{self.nodes[0]}/qemu-server/{vm_id}.conf"
            raise Refused(f"Configuration file '{path}' does not exist")
        return self.vms[vm_id]

    def create(self, node: str, form: dict[str, str]) -> Vm:
        """Make a VM and its disks."""
        vm_id = int(form.pop("vmid"))
        if vm_id in self.vms:
            where = self.vms[vm_id].node
            raise Refused(
                f"unable to create VM {vm_id} - VM {vm_id} already exists on node '{where}'"
            )
        started = form.pop("start", "0") == "1"
        vm = Vm(vm_id, node, {})
        self.change(vm, form)
        vm.running = started
        self.vms[vm_id] = vm
        return vm

    def change(self, vm: Vm, form: dict[str, str]) -> None:
        """Set and delete configuration keys; a new disk is allocated, a removed one is kept."""
        for key in filter(None, form.pop("delete", "").split(",")):
            vm.config.pop(key, None)
        for key in ("force", "digest", "skiplock", "background_delay"):
            form.pop(key, None)
        for key, value in form.items():
            vm.config[key] = self._disk(vm, key, value) if DISK.match(key) else value

    def resize(self, vm: Vm, disk: str, size: str) -> None:
        """Grow a disk to ``size``; Proxmox never shrinks one."""
        volume = vm.config[disk].split(",")[0]
        wanted = _gib(size)
        if wanted < self.volumes[volume]:
            raise Refused("shrinking disks is not supported")
        self.volumes[volume] = wanted
        vm.config[disk] = re.sub(r"size=[^,]+", f"size={_size(wanted)}", vm.config[disk])

    def destroy(self, vm: Vm) -> None:
        """Remove a VM and the volumes that it owns, which are those that carry its id."""
        if vm.running:
            raise Refused(f"VM {vm.vm_id} is running - destroy failed")
        if vm.config.get("protection") == "1":
            raise Refused(f"can't remove VM {vm.vm_id} - protection mode enabled")
        for volume in [v for v in self.volumes if f"/vm-{vm.vm_id}-" in v]:
            del self.volumes[volume]
        del self.vms[vm.vm_id]

    def snapshot(self, vm: Vm, name: str, description: str) -> None:
        """Keep a VM as it is now."""
        if name in vm.snapshots:
            raise Refused(f"snapshot name '{name}' already used")
        vm.snapshots[name] = Snapshot(dict(vm.config), description)

    def rollback(self, vm: Vm, name: str) -> None:
        """Put a VM back to a snapshot."""
        if name not in vm.snapshots:
            raise Refused(f"snapshot '{name}' does not exist")
        vm.config = dict(vm.snapshots[name].config)

    def shown(self, vm: Vm) -> dict[str, str | int]:
        """Return the configuration as the API shows it: numbers as numbers."""
        shown = {k: v for k, v in vm.config.items() if k != "pool"}
        return {k: int(v) if k in INTEGERS else v for k, v in shown.items()}

    def _disk(self, vm: Vm, key: str, value: str) -> str:
        volume, *options = filter(None, value.removeprefix("file=").split(","))
        kept = [o for o in options if not o.startswith(("import-from=", "size="))]
        source = next((o.partition("=")[2] for o in options if o.startswith("import-from=")), None)
        storage, _, wanted = volume.partition(":")
        if wanted == "cloudinit":
            volume, gib = f"{storage}:{vm.vm_id}/vm-{vm.vm_id}-cloudinit.qcow2", 4 / 1024
            kept = [o for o in kept if not o.startswith("media=")] + ["media=cdrom"]
        elif volume in self.volumes:
            gib = self.volumes[volume]
        elif source is not None:
            if source not in self.files:
                raise Refused(f"unable to parse volume ID or missing image '{source}'")
            volume, gib = self._new(vm, storage, kept), IMAGE_GIB
        elif re.fullmatch(r"[0-9.]+", wanted):
            volume, gib = self._new(vm, storage, kept), float(wanted)
        elif volume in ("none", "cdrom"):
            return ",".join([volume, *options])
        else:
            raise Refused(f"volume '{volume}' of {key} does not exist")
        self.volumes[volume] = gib
        return ",".join(
            [volume, *(o for o in kept if not o.startswith("format=")), f"size={_size(gib)}"]
        )

    def _new(self, vm: Vm, storage: str, options: list[str]) -> str:
        suffix = next((o.partition("=")[2] for o in options if o.startswith("format=")), "raw")
        for number in count():
            volume = f"{storage}:{vm.vm_id}/vm-{vm.vm_id}-disk-{number}.{suffix}"
            if volume not in self.volumes:
                return volume
        raise AssertionError


def _gib(size: str) -> float:
    units = {"K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}
    return float(size[:-1]) * units[size[-1]] if size[-1] in units else int(size) / 1024**3


def _size(gib: float) -> str:
    return f"{gib:g}G" if gib >= 1 else f"{gib * 1024:g}M"
