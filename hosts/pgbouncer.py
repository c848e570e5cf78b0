"""PgBouncer: many clients on few connections, on every machine, to the PostgreSQL beside it.

Whoever connects to the database address reaches the pooler of the leader. It asks PostgreSQL for
a role's SCRAM secret by ``auth_query`` and hands it on, so that no password stands in its files
but that of the role that may ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from pyinfra.operations import files, systemd

from .checks import port, refuse, within
from .deploying import deploy
from .identity import Identity, write_identity
from .packages import Packages
from .pair import Pair
from .patroni import SOCKETS
from .rendering import program, rendered

PACKAGES = Packages(names=("pgbouncer",), ours=("pgbouncer",))
FOLDER = "/etc/pgbouncer"
ASKING_ROLE = "pooler"
"""The role that may read SCRAM secrets, through a function of ``roles.py``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PgBouncer:
    """The pooler of one machine."""

    identity: Identity
    pooler: Pair
    """Of the role that asks."""
    pool_size: int
    max_clients: int = 2000
    port: int = 6432

    def __post_init__(self) -> None:
        refuse(
            [
                *port("port", self.port),
                *within("pool_size", self.pool_size, 1, 1000),
                *within("max_clients", self.max_clients, 1, 100_000),
            ]
        )


@deploy("PgBouncer")
def pgbouncer(wanted: PgBouncer) -> None:
    """Install PgBouncer and keep it running."""
    files.directory(name="Make the folder of PgBouncer", path=FOLDER, group="postgres", mode="750")
    identity_changed = write_identity(wanted.identity, f"{FOLDER}/tls", "postgres")
    written = [
        files.put(
            name=f"Write PgBouncer's {file}",
            src=text,
            dest=f"{FOLDER}/{file}",
            user="root",
            group="postgres",
            mode="640",
        )
        for file, text in (
            ("userlist.txt", StringIO(_users(wanted.pooler))),
            (
                "pgbouncer.ini",
                rendered(
                    "pgbouncer.ini.j2",
                    wanted=wanted,
                    folder=FOLDER,
                    sockets=SOCKETS,
                    asking_role=wanted.pooler.account(ASKING_ROLE),
                ),
            ),
        )
    ]
    _units()
    started = systemd.service(
        name="Keep PgBouncer running", service="pgbouncer.service", running=True, enabled=True
    )
    systemd.service(
        name="Reload PgBouncer when its settings or certificates changed",
        service="pgbouncer.service",
        reloaded=True,
        _if=lambda: (
            (identity_changed() or any(file.did_change() for file in written))
            and not started.did_change()
        ),
    )


def _users(pooler: Pair) -> str:
    accounts = pooler.accounts(ASKING_ROLE)
    return "".join(f'"{role}" "{word}"\n' for role, word in accounts.items())


def _units() -> None:
    files.put(
        name="Write the program that hands over while the pooler waits",
        src=program("on_machine/database_switchover.py"),
        dest="/usr/local/sbin/database-switchover",
        mode="755",
    )
    units = [
        files.put(
            name=f"Write {unit}",
            src=rendered(template),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit, template in (
            ("pgbouncer.service.d/platform.conf", "pgbouncer.service.d.j2"),
            ("database-switchover@.service", "database-switchover.service.j2"),
        )
    ]
    systemd.daemon_reload(
        name="Have systemd read PgBouncer's units",
        _if=lambda: any(unit.did_change() for unit in units),
    )
