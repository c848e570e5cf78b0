"""Snapshots asked of Proxmox VE's API."""

from __future__ import annotations

from collections.abc import Sequence

from ..proxmox_api import ProxmoxApi
from .snapshot import Snapshot


class ProxmoxSnapshots:
    """What :mod:`components.machines.snapshot` needs; each call returns when its task has ended."""

    def __init__(self, api: ProxmoxApi) -> None:
        self._api = api

    def snapshots(self, node: str, vm_id: int) -> Sequence[Snapshot]:
        """Return all snapshots of a VM."""
        return [
            Snapshot(name=str(row["name"]), description=str(row.get("description", "")))
            for row in self._api.list(_path(node, vm_id))
            # What the VM is now stands in the list too.
            if row["name"] != "current"
        ]

    def snapshot(self, node: str, vm_id: int, name: str, description: str) -> None:
        """Make a snapshot without the memory's content."""
        body = {"snapname": name, "description": description, "vmstate": "0"}
        self._api.run("POST", _path(node, vm_id), body)

    def rollback(self, node: str, vm_id: int, name: str) -> None:
        """Put the disks back to a snapshot, and start the VM again."""
        self._api.run("POST", f"{_path(node, vm_id)}/{name}/rollback", {"start": "1"})

    def delete_snapshot(self, node: str, vm_id: int, name: str) -> None:
        """Delete a snapshot."""
        self._api.run("DELETE", f"{_path(node, vm_id)}/{name}")


def _path(node: str, vm_id: int) -> str:
    return f"/nodes/{node}/qemu/{vm_id}/snapshot"
