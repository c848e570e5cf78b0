"""The private network of a stack at Hetzner, and the firewall towards the public one.

Hetzner's firewalls see public traffic alone: between the machines everything passes, and the load
balancer reaches them from inside. So nothing but SSH and the Kubernetes API is open, for operators.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_hcloud as hcloud

from ..sections import Hetzner, Network
from .firewall import ANYWHERE, KUBERNETES_API, SSH
from .replacements import NETWORK, SUBNET
from .replacements_hetzner import kept


@dataclass(frozen=True, kw_only=True, slots=True)
class HetznerNetworkArgs:
    """What :class:`HetznerNetwork` needs to know."""

    owner: str
    network: Network
    hetzner: Hetzner
    protected: bool


class HetznerNetwork(pulumi.ComponentResource):
    """A network, one subnet of it and a firewall."""

    subnet: hcloud.NetworkSubnet
    """Where addresses are given: wait for it, not for the network."""
    firewall: hcloud.Firewall

    def __init__(
        self, name: str, args: HetznerNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:HetznerNetwork", name, {}, opts)
        labels = {"stack": args.owner}

        network = hcloud.Network(
            f"{name}-network",
            name=args.owner,
            ip_range=str(args.network.cidr),
            delete_protection=args.protected,
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=kept(NETWORK)),
        )
        self.subnet = hcloud.NetworkSubnet(
            f"{name}-subnet",
            network_id=network.id.apply(int),
            type="cloud",
            network_zone=args.hetzner.network_zone,
            ip_range=str(args.hetzner.subnet),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=kept(SUBNET)),
        )
        people = [str(source) for source in args.network.operators]
        self.firewall = hcloud.Firewall(
            f"{name}-firewall",
            name=args.owner,
            labels=labels,
            rules=[
                _let_in("SSH of operators", people, SSH),
                _let_in("the Kubernetes API for operators", people, KUBERNETES_API),
                _let_in("ping", [str(ANYWHERE)]),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _let_in(why: str, sources: list[str], port: int | None = None) -> hcloud.FirewallRuleArgsDict:
    rule: hcloud.FirewallRuleArgsDict = {
        "description": why,
        "direction": "in",
        "protocol": "tcp" if port else "icmp",
        "source_ips": sources,
    }
    if port:
        rule["port"] = str(port)
    return rule
