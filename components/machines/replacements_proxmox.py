"""What an edit replaces or leaves as it is on Proxmox VE."""

from __future__ import annotations

from .replacements import IMAGE, POOL, VM, Effect, Row, inputs_of

_AT_FIRST_BOOT = (
    "cloud-init reads it at the first boot alone, and a changed cloud-init drive is a new instance "
    "to it: with the next boot the machine would have other SSH host keys."
)
_ANOTHER_DISK = (
    "Make a machine of another name, let replication fill its disk, then remove this one."
)

ROWS: tuple[Row, ...] = (
    Row(
        type=VM,
        part="vm",
        settings=("machines.*",),
        effect=Effect.REMOVED,
        reason="A machine is its name: without it, or under another, it is not the same one.",
    ),
    Row(
        type=VM,
        part="keeper",
        settings=("machines.*", "machines.*.data_disk_gib"),
        effect=Effect.REMOVED,
        reason="The data disk of a machine that is gone, or that shall have none.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("vmId",),
        settings=("machines.*.proxmox.vm_id",),
        effect=Effect.REPLACED,
        reason="An id is what a VM is. Its data disk is another VM's and stays.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("initialization.ipConfigs[0].ipv4.address",),
        settings=("machines.*.address", "network.cidr"),
        effect=Effect.REPLACED,
        reason=(
            "cloud-init gives an address once. Written later, it would wait for a reboot while "
            "the rest of the stack already looks for the new one. The data disk stays."
        ),
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("initialization.ipConfigs[0].ipv4.gateway",),
        settings=("network.gateway",),
        effect=Effect.KEPT,
        reason=_AT_FIRST_BOOT,
        instead="Replace the machines one at a time, `pulumi up --target-replace <urn>`.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("initialization.dns",),
        settings=("network.dns.*",),
        effect=Effect.KEPT,
        reason=_AT_FIRST_BOOT,
        instead="The deploy in the host keeps it.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("initialization.userAccount",),
        settings=("access.user", "access.authorized_keys.*"),
        effect=Effect.KEPT,
        reason=_AT_FIRST_BOOT,
        instead="The deploy in the host keeps the keys; another user needs new machines.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("disks[0].importFrom",),
        settings=("proxmox.image.storage", "proxmox.image.url", "proxmox.image.sha512"),
        effect=Effect.KEPT,
        reason="A machine starts from the image and goes its own way; a newer one is for new ones.",
        instead="Updates come by apt. For a fresh system, replace the machine.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("disks[0].datastoreId", "disks[0].fileFormat", "initialization.datastoreId"),
        settings=("proxmox.storage.name", "proxmox.storage.disk_format"),
        effect=Effect.KEPT,
        reason="It says where and how disks are made; the provider moves one only with the VM off.",
        instead="`qm disk move <vm_id> scsi0 <storage> --format <format> --delete 1`, VM running.",
    ),
    Row(
        type=VM,
        part="vm",
        inputs=("disks[1].size",),
        settings=("machines.*.data_disk_gib",),
        effect=Effect.KEPT,
        reason="The provider refuses to resize, through a machine, the disk of another VM.",
        instead=(
            "First `qm disk resize <vm_id> scsi1 <size>G; qm disk rescan --vmid <data_vm_id>`, "
            "with the machine on; then the edit, which finds it done."
        ),
    ),
    Row(
        type=VM,
        part="keeper",
        inputs=("vmId",),
        settings=("machines.*.proxmox.data_vm_id",),
        effect=Effect.KEPT,
        reason="Another id would be another disk, and the end of this one.",
        instead=_ANOTHER_DISK,
    ),
    Row(
        type=VM,
        part="keeper",
        inputs=("nodeName",),
        settings=("machines.*.proxmox.node",),
        effect=Effect.KEPT,
        reason=(
            "Proxmox copies the disk of a VM that is off and deletes the original, under the "
            "machine that writes to it. On shared storage it need not move at all."
        ),
        instead=_ANOTHER_DISK,
    ),
    Row(
        type=VM,
        part="keeper",
        inputs=("disks[0].datastoreId", "disks[0].fileFormat"),
        settings=("proxmox.storage.name", "proxmox.storage.disk_format"),
        effect=Effect.KEPT,
        reason="It would be moved away under the machine that writes to it.",
        instead=_ANOTHER_DISK,
    ),
    Row(
        type=IMAGE,
        settings=("machines.*.proxmox.node", "machines.*"),
        effect=Effect.REMOVED,
        reason="A node that no machine is on needs no image.",
    ),
    Row(
        type=IMAGE,
        inputs=("url", "checksum", "fileName", "datastoreId"),
        settings=("proxmox.image.storage", "proxmox.image.url", "proxmox.image.sha512"),
        effect=Effect.REPLACED,
        reason="Another image is another file. Machines have their own copy and don't notice.",
    ),
    Row(
        type=IMAGE,
        inputs=("nodeName", "contentType", "checksumAlgorithm"),
        effect=Effect.FIXED,
        reason="The node is in the resource's name; the others never change.",
    ),
    Row(
        type=POOL,
        inputs=("poolId",),
        effect=Effect.FIXED,
        reason="It is the name of the stack.",
    ),
)


def ignored(part: str, *, disks: int) -> list[str]:
    """Return the inputs of a VM with that many disks whose edits are kept away from it.

    The engine complains, on every run, of a path that isn't there.
    """
    absent = tuple(f"disks[{index}]" for index in range(disks, 2))
    kept = [p for p in inputs_of(ROWS, Effect.KEPT, VM, part) if not p.startswith(absent)]
    return kept + [never_read_back(index) for index in range(disks)]


def never_read_back(disk: int) -> str:
    """Return what the bridge fills in and the provider never reads: it would change in every run.

    https://github.com/muhlba91/pulumi-proxmoxve/issues/664
    """
    return f"disks[{disk}].speed"


def replacing(part: str) -> list[str]:
    """Return the inputs of a VM whose edits replace it."""
    return inputs_of(ROWS, Effect.REPLACED, VM, part)
