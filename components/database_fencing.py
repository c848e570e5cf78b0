"""Who may power off a leader that falls silent: what the machines are told, as the stack says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi

from .settings import Settings


def fenced_of(
    settings: Settings, members: Iterable[str], token: pulumi.Output[str] | None
) -> dict[str, Any] | None:
    """Return what ``hosts.database_node:Fenced`` is told, or nothing where it is not wanted.

    The token is on every database machine: it must be one that can see these VMs, change their
    power, and do nothing else to nobody.
    """
    wanted = settings.database.fencing if settings.database else None
    if wanted is None or token is None or settings.proxmox is None:
        return None
    placed = {name: settings.machines[name].proxmox for name in members}
    return {
        "hypervisor": {
            "endpoint": str(settings.proxmox.endpoint),
            "fingerprint": settings.proxmox.fingerprint,
            "token": pulumi.Output.secret(token),
            "machines": {
                name: {"node": vm.node, "vm_id": vm.vm_id} for name, vm in placed.items() if vm
            },
        },
        "silent_seconds": wanted.silent_seconds,
    }
