"""The address of the Kubernetes API: on a server whose API is ready, and on another within seconds.

keepalived, not kube-vip: the address is there before the cluster is (the first server is reached
by it, nodes join by it), needs no image, and is looked after when the cluster is not well. Its
check asks the server's own API: it counts at once when nobody answers, and after 10 s that etcd has
no quorum, so that an election moves nothing. Should two servers have the address for a moment, both
answer truly: it needs no guard, unlike the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from .checks import refuse, within
from .deploying import deploy
from .keepalived import keep_running
from .rendering import rendered

CHECK = "/usr/local/sbin/api-ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiAddress:
    """What one server must know to hold the address."""

    name: str
    virtual_address: IPv4Interface
    interface: str
    router_id: int
    address: IPv4Address
    peers: tuple[IPv4Address, ...]
    api_port: int
    priority: int
    advert_seconds: float = 0.5

    def __post_init__(self) -> None:
        refuse(
            [
                *within("priority", self.priority, 1, 254),
                *within("router_id", self.router_id, 1, 255),
                *within("advert_seconds", self.advert_seconds, 0.1, 10),
            ]
        )


@deploy("Address of the Kubernetes API")
def api_address(wanted: ApiAddress) -> None:
    """Take part in holding the address."""
    keep_running(rendered("keepalived-api.conf.j2", wanted=wanted, check=CHECK))
