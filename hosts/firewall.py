"""The firewall of a machine: closed, but for what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from pyinfra.operations import files, server, systemd

from .checks import port, refuse
from .deploying import deploy
from .packages import Packages
from .rendering import rendered

PACKAGES = Packages(names=("nftables",))
PLACE = "/etc/nftables.conf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What may come in, and from where."""

    what: str
    sources: tuple[IPv4Network, ...]
    protocol: Literal["tcp", "udp", "vrrp"] = "tcp"
    ports: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        refuse(
            [
                *(fault for number in self.ports for fault in port("ports", number)),
                *(["ports: vrrp has none"] if self.protocol == "vrrp" and self.ports else []),
                *(
                    ["ports: name at least one"]
                    if self.protocol != "vrrp" and not self.ports
                    else []
                ),
                *([] if self.sources else ["sources: name at least one"]),
                *(
                    ["what: must be one line without quotes"]
                    if set('"\\\n') & set(self.what)
                    else []
                ),
            ]
        )

    @property
    def rule(self) -> str:
        """Return it in the words of nft."""
        numbers = ", ".join(map(str, self.ports))
        what = (
            "ip protocol 112"
            if self.protocol == "vrrp"
            else f"{self.protocol} dport {{ {numbers} }}"
        )
        sources = ", ".join(map(str, self.sources))
        return f'{what} ip saddr {{ {sources} }} accept comment "{self.what}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Firewall:
    """All that may come in; answers to what the machine asked for always may."""

    openings: tuple[Opening, ...]
    forwards: tuple[IPv4Network, ...] = ()
    """Networks whose packets pass through the machine: those of pods and services."""


@deploy("Firewall")
def firewall(wanted: Firewall) -> None:
    """Close the machine; a connection that is open stays open."""
    rules = files.put(
        name="Write the rules of the firewall",
        src=rendered("nftables.conf.j2", wanted=wanted),
        dest=PLACE,
        mode="600",
    )
    server.shell(
        name="Refuse rules that the kernel would not take",
        commands=[f"nft --check --file {PLACE}"],
        _if=rules.did_change,
    )
    started = systemd.service(
        name="Keep the firewall on", service="nftables.service", running=True, enabled=True
    )
    systemd.service(
        name="Load the rules of the firewall",
        service="nftables.service",
        reloaded=True,
        _if=lambda: rules.did_change() and not started.did_change(),
    )
