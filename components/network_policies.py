"""The map of who talks to whom as network policies: everything is refused but its edges.

Each kind of pods has a policy for what it is asked and one for what it asks, with all of it; each
namespace refuses the rest to whatever runs there. One policy for both ways would do by the book,
but K3s's controller (kube-router) looks at addresses alone: where such a policy lets somebody in
by an address range, the pods that it selects reach each other too.
"""

from __future__ import annotations

from typing import Any

from .traffic import Edge, Outside, Party, Pods, Traffic

Body = dict[str, Any]
REFUSED = "nothing-else"
"""The policy of all pods of a namespace."""


def policies(traffic: Traffic, namespace: str) -> list[Body]:
    """Return the policies of a namespace; the last refuses what the others do not allow."""
    named = [body for party in traffic.pods(namespace) for body in _allowing(traffic, party)]
    refusing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return [*named, _policy(REFUSED, namespace, refusing)]


def _allowing(traffic: Traffic, party: Pods) -> list[Body]:
    """Return the policies of a kind of pods: none for a way that it has no edge of."""
    edges = traffic.edges
    asked = [{"from": _peers(e.source), "ports": _ports(e)} for e in edges if e.target == party]
    asks = [{"to": _peers(e.target), "ports": _ports(e)} for e in edges if e.source == party]
    selector = {"matchLabels": dict(party.labels)}
    return [
        _policy(
            f"{party.name}-{way.lower()}",
            party.namespace,
            {"podSelector": selector, "policyTypes": [way], way.lower(): rules},
        )
        for way, rules in (("Ingress", asked), ("Egress", asks))
        if rules
    ]


def _policy(name: str, namespace: str, spec: Body) -> Body:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


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
