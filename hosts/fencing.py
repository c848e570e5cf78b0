"""Fencing: a leader that falls silent is powered off, and only then is its leadership ended.

Each machine has a witness (``on_machine/fencing``). Patroni alone waits for its ttl, 20 s at the
least, since it can't know that a silent leader is dead. Who can know is the platform under it: told
to take the machine's power, it says when it is off. Where it does not answer nothing is handed
over, and the ttl decides as ever.

Relies on: Patroni's leader key and its member's key hang on one lease of etcd, which is nobody
else's; ``ip route`` takes an unreachable route beside the network's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from pyinfra.operations import files, systemd

from .checks import identifier, refuse, within
from .deploying import deploy
from .etcd import CLIENT_PORT
from .etcd import TLS as ETCD_TLS
from .on_machine.fencing.routes import PROTO
from .packages import Packages
from .patroni import API_PORT
from .rendering import as_json, program, rendered

PACKAGES = Packages(names=("iproute2", "python3"))
INSTALLED = "/usr/local/lib/database"
PLACE = "/etc/fencing.json"
UNIT = "fencing.service"
_PROGRAMS = "on_machine/fencing"
_FINGERPRINT = re.compile(r"([0-9A-F]{2}:){31}[0-9A-F]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxmoxVm:
    """A machine as Proxmox VE knows it."""

    node: str
    vm_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxmox:
    """Who takes the power: a token that may look at these machines and stop them, and no more.

    ``VM.Audit`` and ``VM.PowerMgmt`` on the path of each of them.
    """

    endpoint: str
    fingerprint: str
    """SHA-256 of the certificate that it must present."""
    machines: Mapping[str, ProxmoxVm]
    token: str = field(repr=False)
    kind: Literal["proxmox"] = "proxmox"

    def __post_init__(self) -> None:
        known = _FINGERPRINT.fullmatch(self.fingerprint)
        refuse(
            [
                *([] if self.endpoint.startswith("https://") else ["endpoint: must be https"]),
                *([] if known else ["fingerprint: must be a SHA-256, AA:BB:..."]),
                *([] if "!" in self.token and "=" in self.token else ["token: must be an API's"]),
            ]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fencing:
    """What a machine's witness must know."""

    cluster: str
    name: str
    members: Mapping[str, IPv4Address]
    hypervisor: Proxmox
    silent_seconds: float = 3

    def __post_init__(self) -> None:
        known = set(self.hypervisor.machines)
        refuse(
            [
                *identifier("cluster", self.cluster),
                *([] if self.name in self.members else [f"name: no member is {self.name}"]),
                *(
                    []
                    if known == {*self.members}
                    else [f"hypervisor: knows {sorted(known)}, members are {sorted(self.members)}"]
                ),
                # Less is a hiccup; more, and the ttl is as quick.
                *within("silent_seconds", self.silent_seconds, 2, 15),
            ]
        )

    @property
    def told(self) -> dict[str, object]:
        """Return what the witness reads."""
        return {
            "name": self.name,
            "cluster": self.cluster,
            "members": {name: str(address) for name, address in self.members.items()},
            "silent_seconds": self.silent_seconds,
            "api_port": API_PORT,
            "etcd": f"https://{self.members[self.name]}:{CLIENT_PORT}",
            "tls": {
                "authority": f"{ETCD_TLS}/ca.pem",
                "certificate": f"{ETCD_TLS}/certificate.pem",
                "key": f"{ETCD_TLS}/key.pem",
            },
            "hypervisor": asdict(self.hypervisor),
        }


@deploy("Fencing")
def fencing(wanted: Fencing) -> None:
    """Install the witness and keep it running."""
    for path in (INSTALLED, f"{INSTALLED}/fencing"):
        files.directory(name=f"Make {path}", path=path, mode="755")
    parts = [
        files.put(
            name=f"Write the program fencing/{file.name}",
            src=program(f"{_PROGRAMS}/{file.name}"),
            dest=f"{INSTALLED}/fencing/{file.name}",
            mode="644",
        )
        for file in sorted((Path(__file__).parent / _PROGRAMS).glob("*.py"))
    ]
    parts.append(
        files.put(
            name="Write what the witness is told",
            src=as_json(wanted.told),
            dest=PLACE,
            user="root",
            group="root",
            mode="600",
        )
    )
    parts.append(
        files.put(
            name="Write how systemd runs the witness",
            src=rendered("fencing.service.j2", installed=INSTALLED, place=PLACE, proto=PROTO),
            dest=f"/etc/systemd/system/{UNIT}",
            mode="644",
        )
    )
    systemd.daemon_reload(name="Have systemd read the witness' unit", _if=parts[-1].did_change)
    started = systemd.service(
        name="Keep the witness running", service=UNIT, running=True, enabled=True
    )
    systemd.service(
        name="Restart the witness when it changed",
        service=UNIT,
        restarted=True,
        _if=lambda: any(part.did_change() for part in parts) and not started.did_change(),
    )


@deploy("No fencing")
def no_fencing(_: str) -> None:
    """End a witness that is not wanted, or no more, and forget what it could do."""
    systemd.service(name="Have no witness running", service=UNIT, running=False, enabled=False)
    files.file(name="Forget what the witness was told", path=PLACE, present=False)
