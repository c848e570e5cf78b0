"""What lies beyond the lab's gateway: the clouds, in a range that is kept for documentation."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from ipaddress import IPv4Address

from .machines import Network


class Site(Enum):
    """Who answers where, for the machines and for the program alike."""

    CLOUDFLARE = IPv4Address("203.0.113.1")
    EDGE = IPv4Address("203.0.113.2")
    OBJECT_STORE = IPv4Address("203.0.113.3")
    HETZNER = IPv4Address("203.0.113.4")
    REGISTRY = IPv4Address("203.0.113.5")
    RECEIVERS = IPv4Address("203.0.113.6")

    @property
    def address(self) -> str:
        """Return its address as text."""
        return str(self.value)


def attach(network: Network, resolvers: Iterable[str]) -> None:
    """Give the lab's network these addresses; its gateway is on the same side of the bridge.

    ``resolvers`` are where the stack looks names up: in here, the edge answers them.
    """
    for address in (*(site.address for site in Site), *resolvers):
        network.ip("address", "replace", f"{address}/32", "dev", "lo")
