"""keepalived: the database address is where the leader is, and nowhere else.

keepalived decides nothing. Patroni leads on one machine at most, and only there does the check
succeed: with weight 0 a failed check is a fault, so nobody else even asks for the address. VRRP
version 3 knows no password (version 2's was sent in the clear); peers are named, and the firewall
lets nobody else speak it. It counts in hundredths of a second.

A guard that knows nothing of keepalived takes the address off a machine that does not lead: one
whose keepalived was killed or stopped would keep it for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from ipaddress import IPv4Address, IPv4Interface

from pyinfra.operations import files, systemd

from .checks import refuse, within
from .deploying import deploy
from .identity import AUTHORITY
from .packages import Packages
from .rendering import as_json, program, rendered

PACKAGES = Packages(names=("keepalived", "iproute2", "python3", "curl"), ours=("keepalived",))


@dataclass(frozen=True, kw_only=True, slots=True)
class Keepalived:
    """What one machine must know to hold the address when it leads."""

    name: str
    virtual_address: IPv4Interface
    interface: str
    router_id: int
    priority: int
    address: IPv4Address
    peers: tuple[IPv4Address, ...]
    leader_url: str
    """What answers 200 where the leader is, such as Patroni's ``/primary``."""
    advert_seconds: float = 0.1

    def __post_init__(self) -> None:
        refuse(
            [
                *within("priority", self.priority, 1, 254),
                *within("router_id", self.router_id, 1, 255),
                *within("advert_seconds", self.advert_seconds, 0.1, 10),
                *self._wrong_addresses(),
            ]
        )

    def _wrong_addresses(self) -> list[str]:
        network = self.virtual_address.network
        return [
            f"{key}: {address} is outside {network}"
            for key, address in (
                ("address", self.address),
                *(("peers", peer) for peer in self.peers),
            )
            if address not in network
        ]


@deploy("keepalived")
def keepalived(wanted: Keepalived) -> None:
    """Install keepalived and the guard, and keep both running."""
    _guard(wanted)
    files.put(
        name="Write the check whether this machine leads",
        src=rendered("leads-here.j2", url=wanted.leader_url, authority=AUTHORITY),
        dest="/usr/local/bin/leads-here",
        mode="755",
    )
    keep_running(rendered("keepalived.conf.j2", wanted=wanted))


def keep_running(settings: StringIO) -> None:
    """Keep keepalived itself running with these settings, whatever address it is for."""
    configuration = files.put(
        name="Write the settings of keepalived",
        src=settings,
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


def _guard(wanted: Keepalived) -> None:
    parts = [
        files.put(
            name="Write the guard of the address",
            src=program("on_machine/address_guard.py"),
            dest="/usr/local/sbin/address-guard",
            mode="755",
        ),
        files.put(
            name="Write what it guards",
            src=as_json(
                {
                    "address": str(wanted.virtual_address),
                    "interface": wanted.interface,
                    "leader_url": wanted.leader_url,
                    "authority": AUTHORITY,
                }
            ),
            dest="/etc/address-guard.json",
            mode="644",
        ),
        files.put(
            name="Write how systemd runs the guard",
            src=rendered("address-guard.service.j2"),
            dest="/etc/systemd/system/address-guard.service",
            mode="644",
        ),
    ]
    systemd.daemon_reload(name="Have systemd read the guard's unit", _if=parts[-1].did_change)
    started = systemd.service(
        name="Keep the guard running", service="address-guard.service", running=True, enabled=True
    )
    systemd.service(
        name="Restart the guard when it changed",
        service="address-guard.service",
        restarted=True,
        _if=lambda: any(part.did_change() for part in parts) and not started.did_change(),
    )
