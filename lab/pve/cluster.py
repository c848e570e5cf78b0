"""The emulated cluster: what there is, who is at work on it, and where it is written down."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import power, vms
from .hardware import Hardware, NoHardware
from .locks import Locks
from .records import Disk, Records, Vm
from .refused import Refused
from .tasks import Tasks, Work

LOCK_SECONDS = 10.0
"""As long as Proxmox waits for another operation on the VM."""


def _nobody_listens(_: str) -> None:
    """Take a line of a log that nobody reads."""


@dataclass(kw_only=True)
class Cluster:
    """The whole state; what is done to VMs is in :mod:`vms`, :mod:`power`, :mod:`snapshots`."""

    nodes: tuple[str, ...] = ("pve",)
    storages: Mapping[str, int | None] = field(default_factory=lambda: {"local": None, "hdd": None})
    """Bytes that each storage has for disks and files at their nominal sizes; None is no end."""
    firewall: bool = True
    hardware: Hardware = field(default_factory=NoHardware)
    lock_seconds: float = LOCK_SECONDS
    records: Records = field(default_factory=Records)
    path: Path | None = None
    """The file in which all is kept, if it outlives this process."""
    tasks: Tasks = field(default_factory=Tasks)

    def __post_init__(self) -> None:
        self._locks = Locks(self.lock_seconds)
        self._guard = threading.RLock()

    @classmethod
    def load(
        cls,
        path: Path,
        hardware: Hardware,
        *,
        nodes: tuple[str, ...] = ("pve",),
        storages: Mapping[str, int | None] | None = None,
    ) -> Cluster:
        """Return the cluster that a file holds, or a new one that is kept there."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        loaded = cls(nodes=nodes, hardware=hardware, records=Records.load(path), path=path)
        if storages is not None:
            loaded.storages = storages
        return loaded

    def boot(self) -> dict[int, str]:
        """Start what is to run whenever the host does; return why, of each that can't start."""
        return power.boot(self)

    def create(self, node: str, form: Mapping[str, str]) -> Vm:
        """Make a VM and its disks, and start it if the form says so."""
        vm = vms.reserve(self, node, form)
        vms.build(self, vm.vm_id, form, _nobody_listens)
        return vm

    @property
    def vms(self) -> dict[int, Vm]:
        """Return the VMs by their ids."""
        return self.records.vms

    @property
    def volumes(self) -> dict[str, Disk]:
        """Return the disks by their volume ids."""
        return self.records.volumes

    @property
    def files(self) -> dict[str, int]:
        """Return the size in bytes of every downloaded file, by volume id."""
        return self.records.files

    @property
    def pools(self) -> dict[str, str]:
        """Return the comment of each pool."""
        return self.records.pools

    def vm(self, vm_id: int) -> Vm:
        """Return a VM as it is now, or refuse in Proxmox's words."""
        vm = self.vms.get(vm_id)
        if vm is None:
            path = f"nodes/{self.nodes[0]}/qemu-server/{vm_id}.conf"
            raise Refused(f"Configuration file '{path}' does not exist")
        vm.running = self.hardware.running(vm)
        return vm

    def all_vms(self) -> list[Vm]:
        """Return every VM as it is now."""
        with self._guard:
            ids = list(self.vms)
        return [self.vm(vm_id) for vm_id in ids if vm_id in self.vms]

    def check(self, node: str, storage: str | None = None) -> None:
        """Refuse a node or a storage that there is not."""
        if node not in self.nodes:
            raise Refused(
                f"hostname lookup '{node}' failed - failed to get address info for: {node}: "
                "Name or service not known"
            )
        if storage is not None and storage not in self.storages:
            raise Refused(f"storage '{storage}' does not exist")

    @contextmanager
    def changing(self) -> Iterator[Records]:
        """Change what is written down, alone and for a moment; it is saved at the end."""
        with self._guard:
            yield self.records
            if self.path is not None:
                self.records.save(self.path)

    @contextmanager
    def at_work(self, vm_id: int) -> Iterator[Vm]:
        """Be the only one who does something to a VM, for as long as it takes."""
        with self._locks.held(vm_id):
            vm = self.vm(vm_id)
            if vm.lock:
                raise Refused(f"VM is locked ({vm.lock})")
            yield vm

    def task(self, vm_id: int, kind: str, work: Work) -> str:
        """Begin a task on a VM that there is, and return its id."""
        return self.tasks.start(self.vm(vm_id).node, kind, str(vm_id), work)
