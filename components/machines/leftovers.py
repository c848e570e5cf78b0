"""What a killed run made at Proxmox and its state does not know, found by asking.

Only what bears this stack's name or tag counts; somebody else's VM under the same id is no
leftover, and the next run refuses it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..proxmox_api import ProxmoxApi
from .replacements import POOL, RULES, VM

Inputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """Something that exists, and under which name the program wants it."""

    type: str
    name: str
    parent: str
    provider: str
    import_id: str
    """By which the provider finds it."""
    seen: str
    """What it looks like, for people."""
    to_stop: str = ""
    """Path of a running machine."""

    def make_ready(self, api: ProxmoxApi) -> None:
        """Stop what runs: the provider would ask the guest agent of a running VM for minutes."""
        if self.to_stop:
            api.run("POST", f"{self.to_stop}/status/stop")


def of(wanted: Iterable[Mapping[str, Any]], api: ProxmoxApi) -> list[Leftover]:
    """Return what of ``wanted``, the plan's new states, is there already."""
    found = []
    for state in wanted:
        ask = ASK.get(state["type"])
        there = ask(state.get("inputs", {}), api) if ask else None
        if there:
            import_id, seen, to_stop = there
            found.append(
                Leftover(
                    type=state["type"],
                    name=state["urn"].rsplit("::", 1)[1],
                    parent=state["parent"],
                    # The reference ends with the provider's id.
                    provider=state["provider"].rsplit("::", 1)[0],
                    import_id=import_id,
                    seen=seen,
                    to_stop=to_stop,
                )
            )
    return found


Found = tuple[str, str, str]


def _pool(inputs: Inputs, api: ProxmoxApi) -> Found | None:
    name = str(inputs["poolId"])
    pools = {str(pool["poolid"]) for pool in api.list("/pools")}
    return (name, "pool", "") if name in pools else None


def _vm(inputs: Inputs, api: ProxmoxApi) -> Found | None:
    vm = api.find_vm(int(inputs["vmId"]))
    if vm is None or not vm.tags >= set(inputs["tags"]):
        return None
    path = f"/nodes/{vm.node}/qemu/{vm.vm_id}"
    return (
        f"{vm.node}/{vm.vm_id}",
        f"{vm.name}, {vm.status}",
        path if vm.status == "running" else "",
    )


def _rules(inputs: Inputs, api: ProxmoxApi) -> Found | None:
    node, vm_id = inputs["nodeName"], inputs["vmId"]
    if not isinstance(vm_id, int | float) or api.find_vm(int(vm_id)) is None:
        return None  # The machine itself comes first.
    rules = api.list(f"/nodes/{node}/qemu/{int(vm_id)}/firewall/rules")
    return (f"vm/{node}/{int(vm_id)}", f"{len(rules)} firewall rules", "") if rules else None


ASK: Mapping[str, Callable[[Inputs, ProxmoxApi], Found | None]] = {
    POOL: _pool,
    VM: _vm,
    RULES: _rules,
}
