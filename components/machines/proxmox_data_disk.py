"""A data disk that outlives the machines that use it.

PVE deletes, with a VM, the disks that carry that VM's id in their name, and no others. So the disk
is owned by a VM that is never started; the machine attaches it by its path and can be replaced
(``docs/decisions/0003-data-disks-outlive-machines.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmoxve

from ..sections import ProxmoxStorage
from .ownership import FindVm, id_must_be_free
from .replacements_proxmox import ignored

GUEST_PATH = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"
"""How a guest finds what is attached as ``scsi1``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxmoxDataDiskArgs:
    """What one data disk needs to know."""

    hostname: str
    """The machine that uses it."""
    vm_id: int
    node: str
    size_gib: int
    storage: ProxmoxStorage
    owner: str
    """The stack's tag on everything that is its own."""
    pool: pulumi.Input[str]
    protected: bool
    """Neither Pulumi nor Proxmox deletes it."""
    find_vm: FindVm


class ProxmoxDataDisk(pulumi.ComponentResource):
    """A disk, in the keeping of a VM that is never started."""

    path: pulumi.Output[str | None]
    """Its path in its storage; known once it exists."""

    def __init__(
        self, name: str, args: ProxmoxDataDiskArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:ProxmoxDataDisk", name, {}, opts)
        self._args = args
        self._keeper = self._never_started(f"{name}-keeper")
        self._disk = self._keeper.disks.apply(lambda disks: disks[0] if disks else None)
        self.path = self._disk.apply(lambda disk: disk.path_in_datastore if disk else None)
        self.register_outputs({"path": self.path})

    def attached_as(self, interface: str) -> proxmoxve.VmLegacyDiskArgs:
        """Return the disk as another VM attaches it."""
        return proxmoxve.VmLegacyDiskArgs(
            interface=interface,
            path_in_datastore=self.path,
            datastore_id=self._disk.apply(lambda disk: disk.datastore_id if disk else None),
            file_format=self._disk.apply(lambda disk: disk.file_format if disk else None),
            size=self._args.size_gib,
            discard="on",
            iothread=True,
            ssd=True,
        )

    def _never_started(self, name: str) -> proxmoxve.VmLegacy:
        args = self._args
        return proxmoxve.VmLegacy(
            name,
            name=f"{args.hostname}-data",
            description=f"Keeps the data disk of {args.hostname}: never start it, never delete it.",
            vm_id=args.vm_id,
            node_name=args.node,
            pool_id=args.pool,
            tags=sorted({args.owner, "data", "pulumi"}),
            started=False,
            on_boot=False,
            protection=args.protected,
            boot_orders=["scsi0"],
            scsi_hardware="virtio-scsi-single",
            disks=[
                {
                    "interface": "scsi0",
                    "datastore_id": args.storage.name,
                    "file_format": args.storage.disk_format,
                    "size": args.size_gib,
                    # A backup of this VM would open the disk under the running machine.
                    "backup": False,
                }
            ],
            purge_on_destroy=False,
            delete_unreferenced_disks_on_destroy=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protected or None,
                # Even when somebody takes the protection off, it stays in Proxmox.
                retain_on_delete=args.protected or None,
                ignore_changes=ignored("keeper", disks=1),
                # Its id belongs to one VM at a time.
                delete_before_replace=True,
                hooks=id_must_be_free(name, args.vm_id, args.owner, self, args.find_vm),
            ),
        )
