"""Who may open a connection to a machine, by what the machine is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Literal

from ..sections import Machine, Role

SSH = 22
KUBERNETES_API = 6443
ANYWHERE = IPv4Network("0.0.0.0/0")

K3S_ROLES = frozenset({Role.K3S_SERVER, Role.K3S_AGENT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Ports that the stack offers, by who may reach them."""

    application: tuple[int, ...] = ()
    """Served by K3s machines to the whole network."""
    database: tuple[int, ...] = ()
    """Served by database machines to K3s machines alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One kind of connection that is let in; what no rule names is dropped."""

    why: str
    sources: tuple[IPv4Network, ...]
    protocol: Literal["tcp", "icmp", "vrrp"] | None = None
    """None is every protocol."""
    ports: tuple[int, ...] = ()
    """None named is every port."""


def rules_for(
    role: Role,
    *,
    machines: Mapping[str, Machine],
    network: IPv4Network,
    operators: Iterable[IPv4Network],
    services: Services,
) -> tuple[Rule, ...]:
    """Return what is let in to a machine of ``role``."""
    people = tuple(collapse_addresses(operators))
    everyone = _addresses(machines, frozenset(Role))
    k3s = _addresses(machines, K3S_ROLES)
    databases = _addresses(machines, frozenset({Role.DATABASE}))

    common = [
        Rule(why="ping", sources=(network,), protocol="icmp"),
        Rule(why="SSH of operators", sources=people, protocol="tcp", ports=(SSH,)),
        Rule(why="SSH of the stack's machines", sources=everyone, protocol="tcp", ports=(SSH,)),
    ]
    if role in K3S_ROLES:
        own = [
            Rule(why="the cluster's own traffic", sources=k3s),
            Rule(
                why="the application",
                sources=(network,),
                protocol="tcp",
                ports=services.application,
            ),
        ]
        if role is Role.K3S_SERVER:
            own.append(
                Rule(
                    why="the Kubernetes API for operators",
                    sources=people,
                    protocol="tcp",
                    ports=(KUBERNETES_API,),
                )
            )
    else:
        own = [
            # Unicast between peers, so it needs no multicast source.
            Rule(why="who holds the database address", sources=databases, protocol="vrrp"),
            Rule(why="replication and consensus", sources=databases),
            Rule(
                why="clients of the database and the cache",
                sources=k3s,
                protocol="tcp",
                ports=services.database,
            ),
        ]
    return tuple(rule for rule in [*common, *own] if rule.sources and _names_a_port(rule))


def _names_a_port(rule: Rule) -> bool:
    """A TCP rule without a port would let everything in."""
    return rule.protocol != "tcp" or bool(rule.ports)


def _addresses(machines: Mapping[str, Machine], roles: frozenset[Role]) -> tuple[IPv4Network, ...]:
    found: list[IPv4Address] = [m.address for m in machines.values() if m.role in roles]
    return tuple(IPv4Network(address) for address in sorted(found))
