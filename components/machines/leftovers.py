"""What a killed run may have left at Proxmox."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from ..leftovers import Ask, Found, Inputs, nothing
from ..proxmox_api import ProxmoxApi
from .replacements import IMAGE, POOL, RULES, VM


def questions(api: ProxmoxApi) -> Mapping[str, Ask]:
    """Return how to ask for each type of resource."""
    return {
        POOL: partial(_pool, api),
        IMAGE: partial(_image, api),
        VM: partial(_vm, api),
        RULES: partial(_rules, api),
    }


def _pool(api: ProxmoxApi, inputs: Inputs) -> Found | None:
    name = str(inputs["poolId"])
    pools = {str(pool["poolid"]) for pool in api.list("/pools")}
    return Found(import_id=name, seen="pool") if name in pools else None


def _image(api: ProxmoxApi, inputs: Inputs) -> Found | None:
    """Find an image that nobody knows to be whole.

    The provider deletes it too, and does not wait until it is gone before it downloads it again.
    """
    content = f"/nodes/{inputs['nodeName']}/storage/{inputs['datastoreId']}/content"
    volume = f"{inputs['datastoreId']}:{inputs['contentType']}/{inputs['fileName']}"
    if volume not in {str(file["volid"]) for file in api.list(content)}:
        return None
    return Found(
        import_id=None,
        seen=f"{volume}, perhaps half of it",
        make_ready=partial(api.run, "DELETE", f"{content}/{quote(volume, safe='')}"),
    )


def _vm(api: ProxmoxApi, inputs: Inputs) -> Found | None:
    vm = api.find_vm(int(inputs["vmId"]))
    if vm is None or not vm.tags >= set(inputs["tags"]):
        return None
    stop = partial(api.run, "POST", f"/nodes/{vm.node}/qemu/{vm.vm_id}/status/stop")
    return Found(
        import_id=f"{vm.node}/{vm.vm_id}",
        seen=f"{vm.name}, {vm.status}",
        # The provider would ask the guest agent of a running VM for minutes.
        make_ready=stop if vm.status == "running" else nothing,
    )


def _rules(api: ProxmoxApi, inputs: Inputs) -> Found | None:
    node, vm_id = inputs["nodeName"], inputs["vmId"]
    if not isinstance(vm_id, int | float) or api.find_vm(int(vm_id)) is None:
        return None  # The machine itself comes first.
    rules = api.list(f"/nodes/{node}/qemu/{int(vm_id)}/firewall/rules")
    if not rules:
        return None
    return Found(import_id=f"vm/{node}/{int(vm_id)}", seen=f"{len(rules)} firewall rules")
