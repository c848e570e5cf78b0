"""What later code knows of a machine, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi

from ..sections import Role

HOLDS_DATA = frozenset({Role.DATABASE, Role.K3S_SERVER})
"""A K3s server is a member of etcd; an agent holds nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How a machine is reached by SSH."""

    host: pulumi.Output[str]
    user: str
    private_key: pulumi.Output[str] = field(repr=False)
    """OpenSSH format; made in the stack's state and secret."""
    port: int = 22
    bastion: Connection | None = None
    """The machine to go through, if there is no direct way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A machine that exists once its ``resources`` do."""

    name: str
    role: Role
    address: IPv4Address
    """Where the stack's other machines reach it."""
    failure_domain: str
    """What it loses together with: a physical server or a location."""
    priority: int | None
    connection: Connection
    identity: pulumi.Output[str]
    """Another one once another machine stands here under the same name."""
    resources: tuple[pulumi.Resource, ...]
    """What must be there before anybody connects: depend on it."""
    data_disk: pulumi.Output[str] | None = None
    """The path by which the guest finds its data disk, the same after every reboot."""


class Machines(pulumi.ComponentResource):
    """The machines of a stack by name; each platform has its own subclass."""

    machines: Mapping[str, Machine]

    addresses: pulumi.Output[dict[str, str]]
    """Address of every machine by name; known once the machines exist."""

    def by_role(self, role: Role) -> tuple[Machine, ...]:
        """Return the machines of ``role``, in the order of their names."""
        return tuple(m for _, m in sorted(self.machines.items()) if m.role is role)

    def _register(self, machines: Mapping[str, Machine]) -> None:
        self.machines = machines
        self.addresses = pulumi.Output.all(
            **{name: _once_it_exists(machine) for name, machine in machines.items()}
        )
        self.register_outputs({"addresses": self.addresses})


def _once_it_exists(machine: Machine) -> pulumi.Output[str]:
    urns = [resource.urn for resource in machine.resources]
    return pulumi.Output.all(*urns).apply(lambda _: str(machine.address))
