"""Who may reach whom, as a pure function."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from components.machines.firewall import Rule, Services, rules_for
from components.sections import Role
from tests.components.machines.programs import TESTING

LAN = IPv4Network("192.168.15.0/24")
OFFICE = IPv4Network("192.168.15.64/26")
K3S, DATABASE = IPv4Address("192.168.15.111"), IPv4Address("192.168.15.121")
PRINTER, OPERATOR, STRANGER = (
    IPv4Address("192.168.15.9"),
    IPv4Address("192.168.15.70"),
    IPv4Address("203.0.113.9"),
)


def rules(role: Role, services: Services | None = None) -> tuple[Rule, ...]:
    return rules_for(
        role,
        machines=TESTING.machines,
        network=LAN,
        operators=[OFFICE],
        services=services or Services(application=(8080, 8081), database=(5432, 6432, 6379)),
    )


def let_in(role: Role, source: IPv4Address, protocol: str, port: int | None = None) -> bool:
    """Return whether any rule lets the connection in, as a firewall would decide."""
    return any(
        any(source in network for network in rule.sources)
        and rule.protocol in (None, protocol)
        and (not rule.ports or port in rule.ports)
        for rule in rules(role)
    )


@pytest.mark.parametrize(
    ("role", "source", "protocol", "port", "expected"),
    [
        (Role.DATABASE, K3S, "tcp", 5432, True),
        (Role.DATABASE, K3S, "tcp", 6432, True),
        (Role.DATABASE, K3S, "tcp", 6379, True),
        (Role.DATABASE, K3S, "tcp", 2379, False),
        (Role.DATABASE, PRINTER, "tcp", 5432, False),
        (Role.DATABASE, OPERATOR, "tcp", 5432, False),
        (Role.DATABASE, DATABASE, "tcp", 2380, True),
        (Role.DATABASE, DATABASE, "vrrp", None, True),
        (Role.DATABASE, K3S, "vrrp", None, False),
        (Role.DATABASE, OPERATOR, "tcp", 22, True),
        (Role.DATABASE, K3S, "tcp", 22, True),
        (Role.DATABASE, PRINTER, "tcp", 22, False),
        (Role.DATABASE, PRINTER, "icmp", None, True),
        (Role.DATABASE, STRANGER, "icmp", None, False),
        (Role.K3S_SERVER, PRINTER, "tcp", 8080, True),
        (Role.K3S_SERVER, STRANGER, "tcp", 8080, False),
        (Role.K3S_SERVER, OPERATOR, "tcp", 6443, True),
        (Role.K3S_SERVER, PRINTER, "tcp", 6443, False),
        (Role.K3S_SERVER, K3S, "udp", 8472, True),
        (Role.K3S_SERVER, DATABASE, "tcp", 10250, False),
        (Role.K3S_AGENT, OPERATOR, "tcp", 6443, False),
        (Role.K3S_AGENT, K3S, "tcp", 10250, True),
    ],
)
def test_only_who_needs_to_is_let_in(role, source, protocol, port, expected):
    assert let_in(role, source, protocol, port) is expected


def test_a_rule_without_ports_never_opens_them_all():
    assert not [
        r for r in rules(Role.K3S_SERVER, Services()) if r.protocol == "tcp" and not r.ports
    ]


def test_no_rule_is_open_to_nobody():
    """Proxmox would read an empty source as anyone."""
    alone = {n: m for n, m in TESTING.machines.items() if m.role is Role.DATABASE}
    made = rules_for(
        Role.DATABASE,
        machines=alone,
        network=LAN,
        operators=[OFFICE],
        services=Services(database=(5432,)),
    )

    assert made
    assert all(rule.sources for rule in made)
