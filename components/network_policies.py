"""The map of who talks to whom as network policies: everything is refused but its edges.

Every kind of pods has one policy with all that it may do, so that there is no moment in which it
may do half of it; besides, each namespace refuses everything to whatever else comes to run there.
"""

from __future__ import annotations

from typing import Any

from .traffic import Edge, Outside, Party, Pods, Traffic

Body = dict[str, Any]
REFUSED = "nothing-else"
"""The policy of all pods of a namespace."""


def policies(traffic: Traffic, namespace: str) -> list[Body]:
    """Return the policies of a namespace; the last refuses what the others do not allow."""
    named = [_policy(party.name, namespace, _allowed(traffic, party), party)
             for party in traffic.pods(namespace)]  # fmt: skip
    return [*named, _policy(REFUSED, namespace, {}, None)]


def _policy(name: str, namespace: str, allowed: Body, party: Pods | None) -> Body:
    selector = {"matchLabels": dict(party.labels)} if party else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], **allowed},
    }


def _allowed(traffic: Traffic, party: Pods) -> Body:
    """Return the rules of a party; the server drops lists without any, and so do we."""
    comes = [{"from": _peers(e.source), "ports": _ports(e)} for e in traffic.edges
             if e.target == party]  # fmt: skip
    goes = [{"to": _peers(e.target), "ports": _ports(e)} for e in traffic.edges
            if e.source == party]  # fmt: skip
    return {**({"ingress": comes} if comes else {}), **({"egress": goes} if goes else {})}


def _peers(party: Party) -> list[Body]:
    if isinstance(party, Outside):
        return [_block(party, str(network)) for network in party.networks]
    named = {"matchLabels": {"kubernetes.io/metadata.name": party.namespace}}
    return [{"namespaceSelector": named, "podSelector": {"matchLabels": dict(party.labels)}}]


def _block(party: Outside, network: str) -> Body:
    but = {"except": [str(part) for part in party.but]} if party.but else {}
    return {"ipBlock": {"cidr": network, **but}}


def _ports(edge: Edge) -> list[Body]:
    numbers = [("TCP", port) for port in edge.tcp] + [("UDP", port) for port in edge.udp]
    return [{"protocol": protocol, "port": port} for protocol, port in numbers]
