"""Who talks to whom: what the map of a platform is made of; `traffic_of_stack` draws it.

Network policies, the page with the picture and the lab's proof are all made of the same map. What
is not an edge is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Pods:
    """Pods of one kind; who is in the node's own network is none of them, but that node."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """Addresses. Pods may be among them: as a source they then need an edge of their own too."""

    name: str
    networks: tuple[IPv4Network, ...]
    but: tuple[IPv4Network, ...] = ()
    """Parts of the networks that do not belong to it."""

    def __post_init__(self) -> None:
        if not self.networks:
            raise ValueError(f"{self.name}: name at least one network")


Party = Pods | Outside


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """One who may open connections to another, at ports of the pod or machine itself."""

    source: Party
    target: Party
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    why: str

    def __post_init__(self) -> None:
        if not self.tcp + self.udp:
            raise ValueError(f"{self.source.name} to {self.target.name}: name at least one port")
        if isinstance(self.source, Outside) and isinstance(self.target, Outside):
            # Which kind of party it is is no mistake of types.
            raise ValueError(f"{self.source.name} to {self.target.name}: neither is a pod")  # noqa: TRY004


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """The whole map."""

    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        names = [party.name for party in self.parties]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"parties: names must be unique, repeated: {', '.join(repeated)}")

    @property
    def parties(self) -> tuple[Party, ...]:
        """Return everybody, in the order of the map."""
        both = (party for edge in self.edges for party in (edge.source, edge.target))
        return tuple(dict.fromkeys(both))

    def pods(self, namespace: str | None = None) -> Iterator[Pods]:
        """Yield the parties that are pods, of one namespace if it is named."""
        for party in self.parties:
            if isinstance(party, Pods) and namespace in {None, party.namespace}:
                yield party
