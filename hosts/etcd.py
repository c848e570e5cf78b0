"""etcd: where the database machines agree on who leads.

A cluster is founded by one machine, and grows by one member at a time: as a learner, which counts
for no quorum until it has all that the others have. A machine that was ever a member says so on a
port of its own, from before its network is up and whether or not its etcd runs: who founds has to
hear from every other machine that it was none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from pyinfra.context import host
from pyinfra.facts.files import File
from pyinfra.operations import files, server, systemd

from .checks import identifier, refuse, within
from .deploying import deploy
from .identity import Identity, write_identity
from .packages import Packages
from .rendering import as_json, program, rendered

PACKAGES = Packages(names=("etcd-server", "etcd-client", "python3"), ours=("etcd",))
TLS = "/etc/etcd/tls"
DATA = "/var/lib/etcd"
JOINED = f"{DATA}/joined"
MARK = "etcd-mark.socket"
CLIENT_PORT, PEER_PORT, METRICS_PORT, MARK_PORT = 2379, 2380, 2381, 2382
_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Etcd:
    """What one member must know; without a data folder it joins the others, or founds."""

    cluster: str
    name: str
    members: Mapping[str, IPv4Address]
    """All of them, this one too. The first by name is who may found a cluster."""
    identity: Identity
    quota_mib: int = 1024
    snapshots_kept: int = 48

    def __post_init__(self) -> None:
        refuse(
            [
                *identifier("cluster", self.cluster),
                *within("members", len(self.members), 1, 7),
                *within("quota_mib", self.quota_mib, 64, 8192),
                *([] if self.name in self.members else [f"name: no member is {self.name}"]),
            ]
        )

    @property
    def data(self) -> str:
        """Return the folder of the member's data."""
        return f"{DATA}/{self.cluster}"

    def client_url(self, name: str) -> str:
        """Return where a member answers clients."""
        return f"https://{self.members[name]}:{CLIENT_PORT}"

    def peer_url(self, name: str) -> str:
        """Return where a member answers the others."""
        return f"https://{self.members[name]}:{PEER_PORT}"


@deploy("etcd")
def etcd(wanted: Etcd) -> None:
    """Install etcd, make this machine a member, and keep the member small and saved."""
    changed = _configure(wanted)
    systemd.service(
        name="Start etcd anew with what changed",
        service="etcd.service",
        restarted=True,
        _if=lambda: changed() and _is_member(),
    )
    _join(wanted)
    systemd.service(name="Keep etcd running", service="etcd.service", running=True, enabled=True)
    systemd.service(
        name="Have this machine say that it was a member",
        service=MARK,
        running=True,
        enabled=True,
    )
    for job in ("etcd-defragment", "etcd-snapshot"):
        systemd.service(
            name=f"Have {job} run by the clock",
            service=f"{job}.timer",
            running=True,
            enabled=True,
        )


def _configure(wanted: Etcd) -> Callable[[], bool]:
    """Write what it reads; answers with whether something changed that it reads at its start."""
    # Among it is whom it trusts; its own certificate it would read anew at each handshake.
    identity_changed = write_identity(wanted.identity, TLS, "etcd")
    settings = files.put(
        name="Write the settings of etcd",
        src=rendered("etcd.default.j2", wanted=wanted, tls=TLS, quota=wanted.quota_mib * _MIB),
        dest="/etc/default/etcd",
        mode="644",
    )
    files.put(
        name="Write how etcdctl reaches the cluster",
        src=rendered("etcdctl.env.j2", wanted=wanted, tls=TLS),
        dest="/etc/etcd/etcdctl.env",
        mode="644",
    )
    units = [
        files.put(
            name=f"Write {unit}",
            src=rendered(f"etcd.{template}.j2", wanted=wanted, joined=JOINED, port=MARK_PORT),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit, template in (
            ("etcd.service.d/platform.conf", "service.d"),
            ("etcd-defragment.service", "defragment.service"),
            ("etcd-defragment.timer", "defragment.timer"),
            ("etcd-snapshot.service", "snapshot.service"),
            ("etcd-snapshot.timer", "snapshot.timer"),
            (MARK, "mark.socket"),
            ("etcd-mark@.service", "mark.service"),
        )
    ]
    systemd.daemon_reload(
        name="Have systemd read etcd's units", _if=lambda: any(u.did_change() for u in units)
    )
    return lambda: identity_changed() or settings.did_change()


def _is_member() -> bool:
    return host.get_fact(File, path=JOINED) is not None


def _join(wanted: Etcd) -> None:
    files.put(
        name="Write the program that joins a member",
        src=program("on_machine/etcd_join.py"),
        dest="/usr/local/sbin/etcd-join",
        mode="755",
    )
    files.put(
        name="Write whom it joins",
        src=as_json(
            {
                "name": wanted.name,
                "founder": min(wanted.members),
                "cluster": wanted.cluster,
                "data": wanted.data,
                "initial": f"{DATA}/initial.env",
                "joined": JOINED,
                "peer_urls": {name: wanted.peer_url(name) for name in wanted.members},
                "client_urls": {name: wanted.client_url(name) for name in wanted.members},
                "addresses": {name: str(ip) for name, ip in wanted.members.items()},
                "tls": TLS,
            }
        ),
        dest="/etc/etcd/join.json",
        mode="644",
    )
    server.shell(
        name="Join the cluster, or found it",
        commands=["etcd-join /etc/etcd/join.json"],
        _timeout=180,
        _if=lambda: not _is_member(),
    )
