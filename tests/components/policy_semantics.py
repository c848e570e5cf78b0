"""What network policies let through, as their specification says, and what the map says: judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from components.traffic import Edge, Party, Pods, Traffic
from components.traffic_of_stack import OWN_NAMESPACES

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class End:
    """One end of a connection: an address, and the pod that has it if there is one."""

    address: IPv4Address
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def admitted(
    policies: Iterable[Policy], source: End, target: End, protocol: str, port: int
) -> bool:
    """Tell whether a connection may be opened: both ends have to let it pass."""
    known = list(policies)
    return _passes(known, source, "egress", target, (protocol, port)) and _passes(
        known, target, "ingress", source, (protocol, port)
    )


def _passes(policies: list[Policy], end: End, way: str, other: End, asked: tuple[str, int]) -> bool:
    """Who is selected by no policy of this direction is free; else one rule of any must allow."""
    mine = [
        p["spec"] for p in policies
        if end.namespace == p["metadata"]["namespace"]
        and way.capitalize() in p["spec"]["policyTypes"]
        and _selected(p["spec"]["podSelector"], end.labels)
    ]  # fmt: skip
    peers = "to" if way == "egress" else "from"
    rules = [rule for spec in mine for rule in spec.get(way, [])]
    return not mine or any(
        any(_is(peer, other) for peer in rule[peers])
        and any((at["protocol"], at["port"]) == asked for at in rule["ports"])
        for rule in rules
    )


def _selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()


def _is(peer: Mapping[str, Any], end: End) -> bool:
    if block := peer.get("ipBlock"):
        but = any(end.address in IPv4Network(part) for part in block.get("except", []))
        return end.address in IPv4Network(block["cidr"]) and not but
    name = {"kubernetes.io/metadata.name": end.namespace}
    return (
        bool(end.namespace)
        and _selected(peer["namespaceSelector"], name)
        and _selected(peer["podSelector"], end.labels)
    )


def in_map(traffic: Traffic, source: End, target: End, asked: tuple[str, int]) -> bool:
    """Tell whether the map has it; who is in no namespace of the map has no policy either."""
    edges = [edge for edge in traffic.edges if asked in ports_of(edge)]
    goes = source.namespace not in governed(traffic) or any(
        is_of(edge.source, source) and _includes(edge.target, target) for edge in edges
    )
    comes = target.namespace not in governed(traffic) or any(
        _includes(edge.source, source) and is_of(edge.target, target) for edge in edges
    )
    return goes and comes


def governed(traffic: Traffic) -> set[str]:
    return {*OWN_NAMESPACES, *(pods.namespace for pods in traffic.pods())}


def ports_of(edge: Edge) -> set[tuple[str, int]]:
    return {*(("TCP", port) for port in edge.tcp), *(("UDP", port) for port in edge.udp)}


def is_of(party: Party, end: End) -> bool:
    return (
        isinstance(party, Pods)
        and party.namespace == end.namespace
        and party.labels.items() <= end.labels.items()
    )


def _includes(party: Party, end: End) -> bool:
    if isinstance(party, Pods):
        return is_of(party, end)
    inside = any(end.address in network for network in party.networks)
    return inside and not any(end.address in part for part in party.but)
