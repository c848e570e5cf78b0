"""The few questions that the program asks Proxmox VE itself; its resources are the provider's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from .https import ApiError, JsonApi

TASK_SECONDS = 600
POLL_SECONDS = 0.5


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
        self._token_id = token.partition("=")[0]

    def nodes(self) -> frozenset[str]:
        """Return the names of the cluster's nodes."""
        return frozenset(str(node["node"]) for node in self.list("/nodes"))

    def firewall_is_on(self) -> bool:
        """Return whether the cluster's firewall, and with it that of any machine, works at all."""
        return self._one("/cluster/firewall/options").get("enable") == 1

    def find_vm(self, vm_id: int) -> FoundVm | None:
        """Return the VM or container that has ``vm_id`` anywhere in the cluster."""
        for vm in self.list("/cluster/resources?type=vm"):
            if vm["vmid"] == vm_id:
                return FoundVm(
                    vm_id=vm_id,
                    name=str(vm.get("name", "")),
                    node=str(vm["node"]),
                    tags=frozenset(filter(None, str(vm.get("tags", "")).split(";"))),
                    status=str(vm.get("status", "unknown")),
                )
        return None

    def run(self, method: str, path: str, body: Mapping[str, str] | None = None) -> None:
        """Start a task and wait for its end, or raise :class:`ApiError` with how it ended."""
        document = self.call(method, path, body)
        upid = str(document["data"]) if isinstance(document, dict) else ""
        node = upid.split(":")[1] if upid.startswith("UPID:") else ""
        deadline = time.monotonic() + TASK_SECONDS
        while True:
            task = self._one(f"/nodes/{node}/tasks/{quote(upid, safe='')}/status")
            if task.get("status") == "stopped":
                break
            if time.monotonic() > deadline:
                raise ApiError(f"{path}: still running after {TASK_SECONDS} s; see task {upid}")
            time.sleep(POLL_SECONDS)
        if task.get("exitstatus") != "OK":
            raise ApiError(f"{method} {path}: {task.get('exitstatus')}; see task {upid}")

    def wait_until_idle(self) -> None:
        """Wait for the tasks that this token began: a run that died left its own running."""
        deadline = time.monotonic() + TASK_SECONDS
        while running := [upid for node in self.nodes() for upid in self._running(node)]:
            if time.monotonic() > deadline:
                raise ApiError(f"still running after {TASK_SECONDS} s: {', '.join(running)}")
            time.sleep(POLL_SECONDS)

    def _running(self, node: str) -> list[str]:
        """Return this token's tasks without an end; Proxmox shows the last few that ended too."""
        return [
            str(task["upid"])
            for task in self.list(f"/nodes/{node}/tasks?source=active")
            if "endtime" not in task and f":{self._token_id}:" in str(task["upid"])
        ]

    content_type = "application/x-www-form-urlencoded"

    def encoded(self, body: Mapping[str, str]) -> str:
        """Return a body as a form, which every version understands."""
        return urlencode(body)

    def _one(self, path: str) -> dict[str, object]:
        document = self.get(path)
        data = document.get("data") if isinstance(document, dict) else None
        return data if isinstance(data, dict) else {}

    def list(self, path: str) -> list[dict[str, object]]:
        """Return the rows at ``path``."""
        document = self.get(path)
        data = document.get("data") if isinstance(document, dict) else None
        return data if isinstance(data, list) else []
