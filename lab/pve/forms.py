"""How calls and answers look on the wire."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from .cluster import Cluster
from .records import Vm

Answer = dict[str, Any]
INTEGERS = re.compile(
    "acpi|autostart|balloon|ciupgrade|cores|cpuunits|kvm|numa|onboot|protection|reboot|shares"
    "|sockets|tablet|template|vcpus"
)
"""Keys of a configuration that are numbers in an answer."""


async def _form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _query_of(request: Request) -> dict[str, str]:
    return dict(request.query_params)


Form = Annotated[dict[str, str], Depends(_form_of)]
Query = Annotated[dict[str, str], Depends(_query_of)]


def number(value: str) -> str | int:
    """Return a number as one."""
    return int(value) if value.isdigit() else value


def shown(config: dict[str, str]) -> Answer:
    """Return a configuration as the API shows it: numbers as numbers."""
    return {k: int(v) if INTEGERS.fullmatch(k) else v for k, v in config.items()}


def resource(vm: Vm) -> Answer:
    """Return a VM as lists of VMs show it."""
    return {
        "id": f"qemu/{vm.vm_id}",
        "type": "qemu",
        "vmid": vm.vm_id,
        "node": vm.node,
        "name": vm.name,
        "tags": vm.config.get("tags", ""),
        "pool": vm.pool,
        "status": "running" if vm.running else "stopped",
        "template": int(vm.config.get("template", "0")),
        **({"lock": vm.lock} if vm.lock else {}),
    }


def pool(cluster: Cluster, name: str) -> Answer:
    """Return a pool with its members."""
    members = [resource(vm) for vm in cluster.all_vms() if vm.pool == name]
    return {"poolid": name, "comment": cluster.pools[name], "members": members}
