"""A machine of the database tier: all of its services, in the order in which they need each other.

``database`` has it, ``healthy`` says whether it is well, ``leads`` whether the others come first,
and ``leave`` takes it out without harm to those who stay.
"""

from __future__ import annotations

from pyinfra.operations import files, server

from . import base as _base
from . import etcd as _etcd
from . import fencing as _fencing
from . import keepalived as _keepalived
from . import metrics as _metrics
from . import patroni as _patroni
from . import pgbackrest as _pgbackrest
from . import pgbouncer as _pgbouncer
from . import proven_backups as _proven_backups
from . import redis as _redis
from .base import base, first_boot
from .data_disk import data_disk
from .database_node import DatabaseNode
from .deploying import deploy
from .etcd import etcd
from .fencing import fencing, no_fencing
from .firewall import PACKAGES as FIREWALL_PACKAGES
from .identity import write_authority
from .keepalived import keepalived
from .metrics import metrics
from .packages import Packages, packages
from .patroni import patroni
from .pgbackrest import pgbackrest, write_settings
from .pgbouncer import pgbouncer
from .proven_backups import proven_backups, try_the_store
from .redis import redis
from .rendering import rendered
from .roles import roles

_EACH = (
    _base.PACKAGES,
    FIREWALL_PACKAGES,
    _etcd.PACKAGES,
    _patroni.PACKAGES,
    _pgbouncer.PACKAGES,
    _fencing.PACKAGES,
    _keepalived.PACKAGES,
    _redis.PACKAGES,
    _metrics.PACKAGES,
    _pgbackrest.PACKAGES,
    _proven_backups.PACKAGES,
)
PACKAGES = Packages(
    names=tuple(sorted({name for part in _EACH for name in part.names})),
    ours=tuple(sorted({name for part in _EACH for name in part.ours})),
)


@deploy("Database")
def database(wanted: DatabaseNode) -> None:
    """Make a machine a member of the database tier."""
    first_boot(wanted.base)
    if wanted.disk:
        data_disk(wanted.disk)
    files.put(
        name="Let Debian make no PostgreSQL of its own",
        src=rendered("createcluster.conf.j2"),
        dest="/etc/postgresql-common/createcluster.conf",
        mode="644",
    )
    packages(PACKAGES)
    base(wanted.base)
    write_authority(wanted.identity)
    etcd(wanted.etcd)
    backups, proof = wanted.pgbackrest, wanted.proven_backups
    if backups and proof:
        write_settings(backups)
        try_the_store(proof)
    patroni(wanted.patroni)
    roles(wanted.roles)
    pgbouncer(wanted.pgbouncer)
    keepalived(wanted.keepalived)
    if wanted.fencing:
        fencing(wanted.fencing)
    else:
        no_fencing(wanted.name)
    redis(wanted.redis)
    metrics(wanted.metrics)
    if backups and proof:
        pgbackrest(backups)
        proven_backups(proof)


@deploy("Database health")
def healthy(_: DatabaseNode) -> None:
    """Succeed once PostgreSQL leads or streams and etcd's member sees a quorum."""
    server.shell(name="Ask PostgreSQL and etcd", commands=["database-health"])


def leads(wanted: DatabaseNode) -> bool:
    """Tell whether this machine leads: it comes last, so that it hands over once at most."""
    return _patroni.leads(wanted.patroni)
