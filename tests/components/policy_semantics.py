"""What network policies let through, as their specification says: a small judge for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

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
