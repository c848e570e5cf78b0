"""A node of K3s, for tests of what follows from it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from hosts.k3s_node import Api, Authorities, Authority, K3sNode
from hosts.k3s_release import Release

SERVERS = {f"k3s-node{n}": IPv4Address(f"192.168.15.{109 + n}") for n in (1, 2, 3)}
AGENTS = {"k3s-agent1": IPv4Address("192.168.15.113")}
PEM = "-----BEGIN {0}-----\n{0}\n-----END {0}-----"
SECRETS = {"token": "server-word-0123456789", "agent_token": "agent-word-0123456789"}
ADMINISTRATOR = "the-administrators-kubeconfig"
OPERATORS = (IPv4Network("192.168.15.1/32"),)
RELEASE = Release(
    version="v1.33.6+k3s1", mirror="https://example.org/k3s", sha256={"k3s": "0" * 64}
)


def authority(name: str) -> Authority:
    return Authority(certificate=PEM.format(name), key=PEM.format(f"{name} KEY"))


def node(name: str = "k3s-node2", **more: Any) -> K3sNode:
    """Return a server, or an agent by its name."""
    server = name in SERVERS
    made = K3sNode(
        name=name,
        cluster="testing",
        servers=SERVERS,
        agents=AGENTS,
        api=Api(
            name="k3s.example.org",
            virtual_address=IPv4Interface("192.168.15.205/24"),
        ),
        release=RELEASE,
        pods=IPv4Network("10.42.0.0/16"),
        services=IPv4Network("10.43.0.0/16"),
        operators=OPERATORS,
        authority=PEM.format("server-ca"),
        authorities=Authorities(server=authority("server-ca"), client=authority("client-ca"))
        if server
        else None,
        token=SECRETS["token"] if server else None,
        agent_token=SECRETS["agent_token"],
        administrator=ADMINISTRATOR,
    )
    return replace(made, **more)
