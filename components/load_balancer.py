"""MetalLB: an address of the machines' network for services in the cluster, held by one node.

It answers ARP for the address (layer 2); another node takes over when that one is lost. Its
objects are those that its makers publish. The webhook which would refuse wrong settings is left
out: the only settings are ours, and with the controller away it would refuse all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pulumi

from .in_cluster import InCluster, Inside
from .published import staged

NAMESPACE = "metallb-system"
POOL = "application"
SHARED_BY = {
    "metallb.io/address-pool": POOL,
    "metallb.io/allow-shared-ip": POOL,
}
"""Annotations of services that share the address, each with ports of its own."""
_LEFT_OUT = {"ValidatingWebhookConfiguration", "Service"}
"""The webhook, and the only service, which leads to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadBalancerArgs:
    """What a :class:`LoadBalancer` needs to know."""

    address: IPv4Address
    manifests: Iterable[Mapping[str, Any]]
    """What MetalLB's makers publish."""


class LoadBalancer(InCluster):
    """Who gives services an address."""

    ready: list[pulumi.Resource]
    """What a service that wants the address waits for."""

    def __init__(
        self,
        name: str,
        args: LoadBalancerArgs,
        inside: Inside,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("LoadBalancer", name, inside, opts)
        stages = [
            [(_name(name, body), _without_webhook(body)) for body in stage]
            for stage in staged(args.manifests, _LEFT_OUT)
        ]
        made = self._published(name, NAMESPACE, stages)
        pool = self._object(f"{name}-pool", _pool(args.address), after=made)
        announced = self._object(f"{name}-announced", _announced(), after=[pool])
        self.ready = [pool, announced]
        self.register_outputs({})


def _without_webhook(body: dict[str, Any]) -> dict[str, Any]:
    if (body["kind"], body["metadata"]["name"]) == ("Deployment", "controller"):
        (container,) = body["spec"]["template"]["spec"]["containers"]
        container["args"].append("--webhook-mode=disabled")
    return body


def _name(name: str, body: Mapping[str, Any]) -> str:
    return f"{name}-{body['kind'].lower()}-{body['metadata']['name']}"


def _pool(address: IPv4Address) -> dict[str, Any]:
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": POOL, "namespace": NAMESPACE},
        # By name only: a service that asks for none of it must not take the address.
        "spec": {"addresses": [f"{address}/32"], "autoAssign": False},
    }


def _announced() -> dict[str, Any]:
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "L2Advertisement",
        "metadata": {"name": POOL, "namespace": NAMESPACE},
        "spec": {"ipAddressPools": [POOL]},
    }
