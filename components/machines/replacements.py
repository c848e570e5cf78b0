"""The short list: what an edit replaces, and what it leaves as it is.

Each input whose change makes a provider replace a resource stands here, with what an edit of it
really does and why. Where it is kept away from what exists, the components take it from this list
into Pulumi's ``ignoreChanges``. Tests prove that the list is complete and true and that no row is
unused; ``docs/replacements.md`` is the same list, written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

VM = "proxmoxve:index/vmLegacy:VmLegacy"
IMAGE = "proxmoxve:download/file:File"
POOL = "proxmoxve:index/poolLegacy:PoolLegacy"
RULES = "proxmoxve:firewall/rulesLegacy:RulesLegacy"
SSH_KEY = "hcloud:index/sshKey:SshKey"
NETWORK = "hcloud:index/network:Network"
SUBNET = "hcloud:index/networkSubnet:NetworkSubnet"
SERVER = "hcloud:index/server:Server"
VOLUME = "hcloud:index/volume:Volume"
ATTACHMENT = "hcloud:index/volumeAttachment:VolumeAttachment"
BALANCER = "hcloud:index/loadBalancer:LoadBalancer"
BALANCER_NETWORK = "hcloud:index/loadBalancerNetwork:LoadBalancerNetwork"
BALANCER_SERVICE = "hcloud:index/loadBalancerService:LoadBalancerService"
BALANCER_TARGET = "hcloud:index/loadBalancerTarget:LoadBalancerTarget"


class Effect(StrEnum):
    """What an edit does to what exists."""

    REPLACED = "replaced"
    REMOVED = "deleted, unless data is protected"
    KEPT = "kept as it is"
    FOLLOWS = "replaced with what it belongs to, never by an edit"
    FIXED = "no setting leads to it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Inputs of a resource, and what an edit of them does."""

    type: str
    part: str | None = None
    """Last word of the names of the resources it is about; None is all of the type."""
    inputs: tuple[str, ...] = ()
    """Paths in the resource's inputs."""
    settings: tuple[str, ...] = ()
    """Where in the stack file they come from; ``*`` is any name."""
    effect: Effect
    reason: str
    instead: str = ""
    """How one gets there, where the edit does not."""


def inputs_of(rows: Iterable[Row], effect: Effect, resource_type: str, part: str) -> list[str]:
    """Return the inputs on which an edit has ``effect``, as resource options want them."""
    return [
        path
        for row in rows
        if row.type == resource_type and row.part in (part, None) and row.effect is effect
        for path in row.inputs
    ]
