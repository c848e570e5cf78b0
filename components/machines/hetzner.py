"""The stack's machines at Hetzner Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_hcloud as hcloud
import pulumi_tls as tls

from ..sections import Access, Hetzner, LoadBalancer, Network, OnHetzner, Role
from ..sections import Machine as MachineSettings
from .hetzner_balancer import HetznerBalancer, HetznerBalancerArgs
from .hetzner_machine import HetznerMachine, HetznerMachineArgs, Site
from .hetzner_network import HetznerNetwork, HetznerNetworkArgs
from .machine import Connection, Machine, Machines

QUORUM = frozenset({Role.K3S_SERVER, Role.DATABASE})
"""Roles whose machines outvote one that is lost: no two of them on one physical server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HetznerMachinesArgs:
    """What :class:`HetznerMachines` needs to know; all of it decides what exists or its name."""

    owner: str
    """Marks what is this stack's, as a name or as a label."""
    machines: Mapping[str, MachineSettings]
    hetzner: Hetzner
    network: Network
    access: Access
    protect_data: bool

    def __post_init__(self) -> None:
        missing = [name for name, machine in self.machines.items() if machine.hetzner is None]
        if missing:
            raise ValueError(f"machines: no section hetzner in {', '.join(missing)}")


class HetznerMachines(Machines):
    """Hetzner servers, one for each machine of the stack file, in a network of their own."""

    public_address: pulumi.Output[str] | None
    """Where DNS points, if there is a load balancer."""

    def __init__(
        self, name: str, args: HetznerMachinesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:HetznerMachines", name, {}, opts)
        self._name, self._args = name, args
        child = pulumi.ResourceOptions(parent=self)

        self._key = tls.PrivateKey(f"{name}-key", algorithm="ED25519", opts=child)
        self._ssh_key = hcloud.SshKey(
            f"{name}-ssh-key",
            name=args.owner,
            public_key=self._key.public_key_openssh.apply(str.strip),
            labels={"stack": args.owner},
            opts=child,
        )
        self._network = HetznerNetwork(
            f"{name}-network",
            HetznerNetworkArgs(
                owner=args.owner,
                network=args.network,
                hetzner=args.hetzner,
                protected=args.protect_data,
            ),
            child,
        )
        self._groups = {role: self._group(role) for role in QUORUM & self._roles()}
        placed = {host: m.hetzner for host, m in args.machines.items() if m.hetzner}
        made = {host: self._machine(host, where) for host, where in placed.items()}
        wanted = args.hetzner.load_balancer
        self.public_address = self._balancer(wanted).public_address if wanted else None
        self._register(made)

    def _balancer(self, wanted: LoadBalancer) -> HetznerBalancer:
        return HetznerBalancer(
            f"{self._name}-balancer",
            HetznerBalancerArgs(
                owner=self._args.owner,
                wanted=wanted,
                subnet=self._network.subnet,
                protected=self._args.protect_data,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _roles(self) -> frozenset[Role]:
        return frozenset(machine.role for machine in self._args.machines.values())

    def _group(self, role: Role) -> hcloud.PlacementGroup:
        return hcloud.PlacementGroup(
            f"{self._name}-{role}-group",
            name=f"{self._args.owner}-{role}",
            type="spread",
            labels={"stack": self._args.owner},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _machine(self, host: str, where: OnHetzner) -> Machine:
        args, settings = self._args, self._args.machines[host]
        made = HetznerMachine(
            f"{self._name}-{host}",
            HetznerMachineArgs(
                hostname=host,
                settings=settings,
                placement=where,
                site=Site(
                    owner=args.owner,
                    image=args.hetzner.image,
                    user=args.access.user,
                    authorized_keys=args.access.authorized_keys,
                    public_key=self._ssh_key.public_key,
                    ssh_key=self._ssh_key.id,
                    subnet=self._network.subnet,
                    firewall=self._network.firewall,
                ),
                group=self._groups.get(settings.role),
                protect_data=args.protect_data,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return Machine(
            name=host,
            role=settings.role,
            address=settings.address,
            failure_domain=where.location,
            priority=settings.priority,
            data_disk=made.data_disk,
            connection=Connection(
                host=made.public_address,
                user=args.access.user,
                private_key=pulumi.Output.secret(self._key.private_key_openssh),
            ),
            identity=made.identity,
            resources=made.resources,
        )
