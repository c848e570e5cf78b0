"""Patroni and PostgreSQL: one leads, a commit is on two machines, and nobody promotes by hand.

Relies on: Patroni forbids that a standby has smaller values than its leader for some settings, and
takes those from etcd alone; all others stand in each machine's file. ``primary_stop_timeout`` is
left unset: with it Patroni 4.0 may let go of the lock while the old leader still runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network

from pyinfra.context import host
from pyinfra.operations import files, server, systemd

from . import postgres_size as sizes
from .checks import identifier, refuse, within
from .deploying import deploy
from .etcd import CLIENT_PORT
from .facts import Answer
from .identity import AUTHORITY, Identity, write_identity
from .packages import Packages
from .pair import Pair
from .postgres_size import Size
from .rendering import as_json, program, rendered
from .versions import POSTGRESQL

PACKAGES = Packages(
    names=(
        "curl",
        f"postgresql-{POSTGRESQL}",
        "postgresql-common",
        "patroni",
        # Patroni only recommends its stores, and says "no store" without both.
        "python3-etcd",
        "python3-dnspython",
    ),
    ours=("patroni", "postgresql", f"postgresql@{POSTGRESQL}-main"),
)
FOLDER = "/etc/patroni"
TLS = f"{FOLDER}/tls"
HOME = "/var/lib/postgresql"
DATA = f"{HOME}/{POSTGRESQL}/main"
SOCKETS = "/run/postgresql"
POSTGRES_PORT, API_PORT = 5432, 8008
_COPY_SECONDS = 6 * 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Patroni:
    """One member of a PostgreSQL cluster."""

    cluster: str
    name: str
    members: Mapping[str, IPv4Address]
    store: Mapping[str, IPv4Address]
    """The members of etcd."""
    priority: int
    """Of equally fresh standbys the one with the highest takes over."""
    clients: tuple[IPv4Network, ...]
    """Whose connections PostgreSQL takes; the pooler's come over a socket."""
    size: Size
    smallest: Size
    """What every member has at least."""
    most_cores: int
    identity: Identity
    replication: Pair
    rewind: Pair
    archive_command: str = "/bin/true"
    restore_command: str = ""
    founding: str | None = None
    """The command that makes the data of a cluster that has none; else it begins empty."""
    ttl: int = 20
    loop_wait: int = 5
    retry_timeout: int = 5
    synchronous: bool = True
    """Whether a commit waits until it is on two machines, even if that means for ever."""

    def __post_init__(self) -> None:
        refuse(
            [
                *identifier("cluster", self.cluster),
                *([] if self.name in self.members else [f"name: no member is {self.name}"]),
                *within("priority", self.priority, 1, 255),
                *within("ttl", self.ttl, 20, 300),
                *within("loop_wait + 2 * retry_timeout", self._slowest_loop, 1, self.ttl),
            ]
        )

    @property
    def _slowest_loop(self) -> int:
        return self.loop_wait + 2 * self.retry_timeout

    @property
    def address(self) -> IPv4Address:
        """Return where this member answers."""
        return self.members[self.name]

    @property
    def api(self) -> str:
        """Return where this machine's Patroni answers."""
        return f"https://{self.address}:{API_PORT}"

    @property
    def stores(self) -> list[str]:
        """Return where etcd answers, this machine's own first."""
        mine_first = sorted(self.store, key=lambda name: (name != self.name, name))
        return [f"{self.store[name]}:{CLIENT_PORT}" for name in mine_first]

    @property
    def dynamic(self) -> dict[str, object]:
        """Return what is the same on all members and stands in etcd."""
        return {
            "ttl": self.ttl,
            "loop_wait": self.loop_wait,
            "retry_timeout": self.retry_timeout,
            "primary_start_timeout": 15,
            "maximum_lag_on_failover": 1 << 20,
            "failsafe_mode": True,
            "synchronous_mode": "quorum" if self.synchronous else False,
            "synchronous_mode_strict": self.synchronous,
            "postgresql": {
                "use_pg_rewind": True,
                "use_slots": True,
                "parameters": {
                    **sizes.of_all_machines(self.smallest, self.most_cores),
                    # When a row was committed: a drill holds restored rows against it.
                    "track_commit_timestamp": "on",
                },
            },
        }


@deploy("Patroni")
def patroni(wanted: Patroni) -> None:
    """Install PostgreSQL and Patroni, and have this machine lead or follow."""
    changed = _configure(wanted)
    started = systemd.service(
        name="Keep Patroni running", service="patroni.service", running=True, enabled=True
    )
    systemd.service(
        name="Have Patroni read its settings again",
        service="patroni.service",
        reloaded=True,
        # A signal that comes before there is a handler ends it.
        _if=lambda: changed() and not started.did_change(),
    )
    server.shell(
        name="Wait until PostgreSQL leads or follows",
        commands=["database-health --wait 90 postgresql"],
        _timeout=_COPY_SECONDS,
        _if=started.did_change,
    )
    server.shell(
        name="Prove that replication is let in with these settings",
        commands=["database-health --wait 20 login"],
        _timeout=60,
        _if=changed,
    )
    server.shell(
        name="Change the settings that all members share",
        commands=[
            # Where several members are changed at once, only one of them is heard (409).
            "curl --silent --show-error --fail --retry 5 --retry-delay 1 --retry-all-errors"
            " --max-time 10 --request PATCH"
            f" --cacert {TLS}/ca.pem --cert {TLS}/certificate.pem --key {TLS}/key.pem"
            f" --data @{FOLDER}/dynamic.json {wanted.api}/config"
        ],
        _if=lambda: not holds(_settings(wanted), wanted.dynamic),
    )


def _configure(wanted: Patroni) -> Callable[[], bool]:
    files.directory(
        name="Make the folder of Patroni's settings", path=FOLDER, group="postgres", mode="750"
    )
    for path in (f"{HOME}/{POSTGRESQL}", DATA):
        files.directory(
            name=f"Make {path}", path=path, user="postgres", group="postgres", mode="700"
        )
    identity_changed = write_identity(wanted.identity, TLS, "postgres")
    files.put(
        name="Write the settings that all members share",
        src=as_json(wanted.dynamic),
        dest=f"{FOLDER}/dynamic.json",
        mode="644",
    )
    settings = files.put(
        name="Write Patroni's settings",
        src=rendered(
            "patroni.yml.j2",
            wanted=wanted,
            parameters=sizes.of_this_machine(wanted.size),
            dynamic=json.dumps(wanted.dynamic),
            tls=TLS,
            data=DATA,
            sockets=SOCKETS,
            version=POSTGRESQL,
        ),
        dest=f"{FOLDER}/config.yml",
        user="root",
        group="postgres",
        mode="640",
    )
    files.put(
        name="Write the program that tells the database's health",
        src=program("on_machine/database_health.py"),
        dest="/usr/local/bin/database-health",
        mode="755",
    )
    files.put(
        name="Write whom it asks",
        src=as_json({"api": wanted.api, "authority": AUTHORITY}),
        dest="/etc/database-health.json",
        mode="644",
    )
    unit = files.put(
        name="Write how systemd runs Patroni",
        src=rendered("patroni.service.d.j2"),
        dest="/etc/systemd/system/patroni.service.d/platform.conf",
        mode="644",
    )
    systemd.daemon_reload(name="Have systemd read Patroni's unit", _if=unit.did_change)
    return lambda: identity_changed() or settings.did_change()


def _settings(wanted: Patroni) -> dict[str, object]:
    """Return what stands in etcd now."""
    answer: dict[str, object] = host.get_fact(
        Answer, url=f"{wanted.api}/config", authority=AUTHORITY
    )
    return answer


def holds(said: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    """Tell whether an answer has all that is wanted, whatever else it has."""
    return all(
        holds(found, value)
        if isinstance(value, Mapping) and isinstance(found := said.get(key), Mapping)
        else said.get(key) == value
        for key, value in wanted.items()
    )


def leads(wanted: Patroni) -> bool:
    """Tell whether this machine's PostgreSQL is the one that is written to."""
    answer: dict[str, object] = host.get_fact(
        Answer, url=f"{wanted.api}/primary", authority=AUTHORITY
    )
    return answer["status"] == HTTPStatus.OK
