"""The load balancer before the machines of one role: the only way in from the whole world."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_hcloud as hcloud

from ..sections import LoadBalancer
from .replacements import BALANCER
from .replacements_hetzner import kept


@dataclass(frozen=True, kw_only=True, slots=True)
class HetznerBalancerArgs:
    """What :class:`HetznerBalancer` needs to know."""

    owner: str
    wanted: LoadBalancer
    subnet: hcloud.NetworkSubnet
    protected: bool


class HetznerBalancer(pulumi.ComponentResource):
    """A load balancer that passes TCP on to every machine of a role."""

    public_address: pulumi.Output[str]
    """Where DNS points."""

    def __init__(
        self, name: str, args: HetznerBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:HetznerBalancer", name, {}, opts)
        self._name, self._wanted = name, args.wanted

        self._balancer = hcloud.LoadBalancer(
            f"{name}-balancer",
            name=args.owner,
            load_balancer_type=args.wanted.type,
            location=args.wanted.location,
            delete_protection=args.protected,
            labels={"stack": args.owner},
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=kept(BALANCER)),
        )
        self._balancer_id = self._balancer.id.apply(int)
        joined = hcloud.LoadBalancerNetwork(
            f"{name}-network",
            load_balancer_id=self._balancer_id,
            subnet_id=args.subnet.id,
            ip=str(args.wanted.address),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._target(args.owner, joined)
        for port in args.wanted.ports:
            self._service(port)
        self.public_address = self._balancer.ipv4
        self.register_outputs({"public_address": self.public_address})

    def _target(self, owner: str, joined: hcloud.LoadBalancerNetwork) -> None:
        hcloud.LoadBalancerTarget(
            f"{self._name}-target",
            load_balancer_id=self._balancer_id,
            type="label_selector",
            label_selector=f"stack={owner},role={self._wanted.target_role}",
            use_private_ip=True,
            # Private addresses can be used only from inside the network.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[joined]),
        )

    def _service(self, port: int) -> None:
        wanted = self._wanted
        hcloud.LoadBalancerService(
            f"{self._name}-port-{port}",
            load_balancer_id=self._balancer.id,
            protocol="tcp",
            listen_port=port,
            destination_port=port,
            health_check={
                "protocol": "tcp",
                "port": port,
                "interval": wanted.interval_seconds,
                "timeout": wanted.timeout_seconds,
                "retries": wanted.retries,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
