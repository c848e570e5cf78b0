"""A machine leaves the database tier: who stays has a quorum and a leader, or it stays too."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.operations import files, server, systemd

from .database_node import DatabaseNode
from .deploying import deploy
from .etcd import JOINED, MARK
from .fencing import no_fencing
from .rendering import as_json, program

_STOPPED = (
    "database-backup-full.timer",
    "database-backup-incr.timer",
    "etcd-defragment.timer",
    "etcd-snapshot.timer",
    "keepalived.service",
    "pgbouncer.service",
    "prometheus-node-exporter.service",
    "prometheus-postgres-exporter.service",
    "redis-follows.service",
    "redis-server.service",
    "patroni.service",
    # Last: it would take the address off, should it still be here.
    "address-guard.service",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving(DatabaseNode):
    """What a machine is told that leaves."""

    others: list[str]
    """Those who stay."""


@deploy("Database leaves")
def leave(wanted: Leaving) -> None:
    """Prove that nobody misses it, hand over, stop everything, and be no member any more."""
    files.put(
        name="Write the program that leaves",
        src=program("on_machine/database_leave.py"),
        dest="/usr/local/sbin/database-leave",
        mode="755",
    )
    files.put(
        name="Write who stays",
        src=as_json(
            {
                "name": wanted.name,
                "others": sorted(wanted.others),
                "cluster": wanted.cluster,
                "client_urls": {name: wanted.etcd.client_url(name) for name in wanted.members},
                "peer_urls": {name: wanted.etcd.peer_url(name) for name in wanted.members},
            }
        ),
        dest="/etc/database-leave.json",
        mode="644",
    )
    for step, what in (
        ("prove", "Prove that those who stay have a quorum and a standby"),
        ("hand-over", "Hand over if this machine leads"),
    ):
        server.shell(name=what, commands=[f"database-leave {step}"], _timeout=120)
    no_fencing(wanted.name)
    for unit in _STOPPED:
        systemd.service(name=f"Stop {unit}", service=unit, running=False, enabled=False)
    # Before it is removed: a member that learns that it was ends, and systemd would start it again.
    systemd.service(name="Stop etcd", service="etcd.service", running=False, enabled=False)
    server.shell(
        name="Be no member of etcd any more", commands=["database-leave remove"], _timeout=60
    )
    # A member that was forgotten can't come back with what it knew.
    files.file(name="Forget that it was a member", path=JOINED, present=False)
    systemd.service(
        name="No longer say that it was a member", service=MARK, running=False, enabled=False
    )
    files.directory(name="Remove the member's data", path=wanted.etcd.data, present=False)
