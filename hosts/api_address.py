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

from pyinfra.operations import files, systemd

from .checks import refuse, within
from .deploying import deploy
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
    configuration = files.put(
        name="Write the settings of keepalived",
        src=rendered("keepalived-api.conf.j2", wanted=wanted, check=CHECK),
        dest="/etc/keepalived/keepalived.conf",
        mode="600",
    )
    unit = files.put(
        name="Write how systemd runs keepalived",
        src=rendered("keepalived.service.d.j2"),
        dest="/etc/systemd/system/keepalived.service.d/platform.conf",
        mode="644",
    )
    systemd.daemon_reload(name="Have systemd read keepalived's unit", _if=unit.did_change)
    started = systemd.service(
        name="Keep keepalived running", service="keepalived.service", running=True, enabled=True
    )
    systemd.service(
        name="Reload keepalived when its settings changed",
        service="keepalived.service",
        reloaded=True,
        _if=lambda: configuration.did_change() and not started.did_change(),
    )
