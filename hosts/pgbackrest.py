"""pgBackRest: every write's log and regular backups, encrypted, in an object store.

The store may be away at any time, and nothing here may wait for it: each command has a timeout,
archiving has a queue of its own, and the repository is made by a service that tries again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pyinfra.operations import files, systemd

from .checks import identifier, refuse, within
from .deploying import deploy
from .identity import AUTHORITY
from .object_store import Store
from .packages import Packages
from .pair import Pair
from .patroni import DATA, HOME, SOCKETS
from .rendering import rendered

PACKAGES = Packages(names=("pgbackrest", "ca-certificates", "curl"))
FOLDER = "/etc/pgbackrest"
OTHER = "other.conf"
"""Of the repository that was in use before, from which a restore may still begin."""
SPOOL = f"{HOME}/pgbackrest-spool"
_SCHEDULES = ("full", "incr")


@dataclass(frozen=True, kw_only=True, slots=True)
class PgBackRest:
    """The backups of one machine's PostgreSQL."""

    cluster: str
    store: Store
    passphrase: Pair
    """Encrypts all that leaves the machine; each has a repository of its own."""
    leader_url: str
    """What answers 200 where the leader is: only it makes backups."""
    full_at: str = "02:00"
    incremental_every_hours: int = 6
    retention_days: int = 30
    queue_gib: int = 5
    """How much log may wait for the store; more of it is a gap in the archive, not a full disk."""
    processes: int = 2

    def __post_init__(self) -> None:
        refuse(
            [
                *identifier("cluster", self.cluster),
                *within("incremental_every_hours", self.incremental_every_hours, 1, 24),
                *within("retention_days", self.retention_days, 1, 3650),
                *within("queue_gib", self.queue_gib, 1, 1024),
                *within("processes", self.processes, 1, 64),
            ]
        )


def repository_of(cluster: str, passphrase: str) -> str:
    """Return where in the bucket a passphrase's repository is: nothing is ever sealed anew."""
    return f"{cluster}-{hashlib.sha256(passphrase.encode()).hexdigest()[:8]}"


def archive_command(cluster: str) -> str:
    """Return what PostgreSQL runs for each piece of log."""
    return f"timeout 20 pgbackrest --stanza={cluster} archive-push %p"


def restore_command(cluster: str) -> str:
    """Return what PostgreSQL runs for a piece of log that it misses."""
    return f'timeout 10 pgbackrest --stanza={cluster} archive-get %f "%p"'


def write_settings(wanted: PgBackRest) -> None:
    """Write what PostgreSQL's own commands need; it comes before PostgreSQL runs."""
    for path, owner, mode in ((FOLDER, "root", "750"), (SPOOL, "postgres", "750")):
        files.directory(name=f"Make {path}", path=path, user=owner, group="postgres", mode=mode)
    if wanted.store.authority:
        files.put(
            name="Write who signed the store's certificate",
            src=rendered("text.j2", text=wanted.store.authority.strip() + "\n"),
            dest=f"{FOLDER}/store-ca.pem",
            mode="644",
        )
    for file, word in (
        ("pgbackrest.conf", wanted.passphrase.word),
        (OTHER, wanted.passphrase.other),
    ):
        files.put(
            name=f"Write the settings of pgBackRest, {file}",
            src=rendered(
                "pgbackrest.conf.j2",
                wanted=wanted,
                repository=repository_of(wanted.cluster, word),
                passphrase=word,
                folder=FOLDER,
                data=DATA,
                sockets=SOCKETS,
                spool=SPOOL,
            ),
            dest=f"{FOLDER}/{file}",
            user="root",
            group="postgres",
            mode="640",
        )


@deploy("pgBackRest")
def pgbackrest(wanted: PgBackRest) -> None:
    """Have backups made by the clock, and the repository made as soon as the store answers."""
    files.put(
        name="Write the program that makes backups",
        src=rendered("database-backup.j2", wanted=wanted, authority=AUTHORITY),
        dest="/usr/local/bin/database-backup",
        mode="755",
    )
    units = [
        files.put(
            name=f"Write {unit}",
            src=rendered(f"{template}.j2", wanted=wanted, kind=kind),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit, template, kind in (
            ("database-repository.service", "database-repository.service", ""),
            ("database-backup@.service", "database-backup.service", ""),
            ("database-backup-full.timer", "database-backup.timer", "full"),
            ("database-backup-incr.timer", "database-backup.timer", "incr"),
        )
    ]
    systemd.daemon_reload(
        name="Have systemd read the units of the backups",
        _if=lambda: any(unit.did_change() for unit in units),
    )
    for kind in _SCHEDULES:
        systemd.service(
            name=f"Have {kind} backups made by the clock",
            service=f"database-backup-{kind}.timer",
            running=True,
            enabled=True,
        )
    systemd.service(
        name="Have the repository made, now or as soon as the store answers",
        service="database-repository.service",
        running=True,
        enabled=True,
    )
