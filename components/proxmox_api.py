"""The few questions that the program asks Proxmox VE itself; its resources are the provider's."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from .https import JsonApi


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundVm:
    """A VM that Proxmox knows."""

    vm_id: int
    name: str
    node: str
    tags: frozenset[str]
    status: str


class ProxmoxApi(JsonApi):
    """Proxmox VE's API at an endpoint whose certificate must be the pinned one."""

    def __init__(self, endpoint: str, *, token: str, fingerprint: str) -> None:
        url = urlsplit(endpoint)
        super().__init__(
            f"https://{url.netloc}/api2/json",
            headers={"Authorization": f"PVEAPIToken={token}"},
            fingerprint=fingerprint,
        )

    def nodes(self) -> frozenset[str]:
        """Return the names of the cluster's nodes."""
        return frozenset(str(node["node"]) for node in self._list("/nodes"))

    def find_vm(self, vm_id: int) -> FoundVm | None:
        """Return the VM or container that has ``vm_id`` anywhere in the cluster."""
        for vm in self._list("/cluster/resources?type=vm"):
            if vm["vmid"] == vm_id:
                return FoundVm(
                    vm_id=vm_id,
                    name=str(vm.get("name", "")),
                    node=str(vm["node"]),
                    tags=frozenset(filter(None, str(vm.get("tags", "")).split(";"))),
                    status=str(vm.get("status", "unknown")),
                )
        return None

    def _list(self, path: str) -> list[dict[str, object]]:
        document = self.get(path)
        data = document.get("data") if isinstance(document, dict) else None
        return data if isinstance(data, list) else []
