"""The plan of a major upgrade, checked on the machines: ``ops.database STACK upgrade-plan 18``.

It changes nothing. What would stop the upgrade half way is found now, all of it at once; where
nothing does, the steps are printed with this cluster's names, sizes and the way back of each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from hosts.versions import POSTGRESQL
from ops.reach import FailedError, Machine
from ops.tier import Tier

BACKUP_HOURS = 26
_HOME = "/var/lib/postgresql"
_PSQL = "cd /; runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1"
_DATABASES = "select datname from pg_database where datallowconn"
# What pg_upgrade itself refuses, or takes over without its meaning.
_OBSTACLES = {
    "prepared transactions": "select count(*) from pg_prepared_xacts",
    "logical replication slots": (
        "select count(*) from pg_replication_slots where slot_type = $$logical$$"
    ),
}
_OIDS = (
    "select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid"
    " where a.attnum > 0 and not a.attisdropped and c.relkind in ($$r$$, $$m$$)"
    " and c.oid >= 16384 and a.atttypid in ($$regproc$$::regtype, $$regprocedure$$::regtype,"
    " $$regoper$$::regtype, $$regoperator$$::regtype, $$regcollation$$::regtype,"
    " $$regnamespace$$::regtype, $$regconfig$$::regtype, $$regdictionary$$::regtype)"
)
_EXTENSIONS = "select extname from pg_extension where extname <> $$plpgsql$$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the machines say."""

    leader: str
    standbys: tuple[str, ...]
    bytes: int
    extensions: tuple[str, ...]
    faults: tuple[str, ...]


def look(tier: Tier, to: int) -> Found:
    """Ask the machines for all that the upgrade needs."""
    if to <= POSTGRESQL:
        raise FailedError(f"expected a version after {POSTGRESQL}, got {to}")
    leader = tier.leader()
    if leader is None or not tier.well():
        raise FailedError(f"the tier is not well, nothing is planned: {tier.members()}")
    size = int(_sql(leader, "select sum(pg_database_size(oid))::bigint from pg_database"))
    databases = _sql(leader, _DATABASES).splitlines()
    extensions = {e for name in databases for e in _sql(leader, _EXTENSIONS, name).splitlines()}
    faults = [
        *_packages(tier, to),
        *_room(tier, size),
        *_obstacles(leader, databases),
        *_backup(leader),
    ]
    return Found(
        leader=leader.name,
        standbys=tuple(name for name in tier.machines if name != leader.name),
        bytes=size,
        extensions=tuple(sorted(extensions)),
        faults=tuple(faults),
    )


def _packages(tier: Tier, to: int) -> Iterator[str]:
    for machine in tier.machines.values():
        said = machine.run(f"apt-cache policy postgresql-{to}")
        if "Candidate:" not in said or "Candidate: (none)" in said:
            yield f"{machine.name}: its archives have no postgresql-{to}"


def _room(tier: Tier, size: int) -> Iterator[str]:
    """The leader links its files; a standby is copied beside itself."""
    for machine in tier.machines.values():
        free = int(machine.run(f"df --output=avail -B1 {_HOME} | tail -1"))
        if free < (needed := int(size * 1.1) + (1 << 30)):
            yield f"{machine.name}: {free >> 20} MiB are free below {_HOME}, needed {needed >> 20}"


def _obstacles(leader: Machine, databases: list[str]) -> Iterator[str]:
    for what, question in _OBSTACLES.items():
        if count := int(_sql(leader, question)):
            yield f"{leader.name}: {count} {what}: end them first"
    for name in databases:
        if count := int(_sql(leader, _OIDS, name)):
            yield f"{name}: {count} columns of types that hold object ids: make them text first"


def _backup(leader: Machine) -> Iterator[str]:
    said = leader.run("cd /; runuser -u postgres -- pgbackrest info --output=json || echo []")
    stops = [b["timestamp"]["stop"] for found in json.loads(said) for b in found["backup"]]
    age = (float(leader.run("date +%s")) - max(stops, default=0)) / 3600
    if age > BACKUP_HOURS:
        yield f"the newest backup is older than {BACKUP_HOURS} h: make one, and drill"


def plan(found: Found, to: int) -> str:
    """Return what is wrong, or the steps."""
    if found.faults:
        told = "".join(f"\n  {fault}" for fault in found.faults)
        return f"An upgrade to {to} would not end well:{told}"
    old, new = f"/usr/lib/postgresql/{POSTGRESQL}/bin", f"/usr/lib/postgresql/{to}/bin"
    standbys = ", ".join(found.standbys)
    steps = (
        "Rehearse: restore-to a moment, and these steps on the copy; note how long 6. takes.",
        f"Say {to} in hosts/versions.py on a branch; let its tests run on machines.",
        f"On all: apt-get install postgresql-{to} (it makes no cluster of its own).",
        f"On {found.leader}: systemctl start database-backup@full; then hold a drill.",
        f"From here nobody writes. On {found.leader}: patronictl pause --wait; stop pgbouncer on"
        f" all; then PostgreSQL on {standbys}, and last on {found.leader}.",
        f"On {found.leader}, as postgres: {new}/initdb with the options of hosts/patroni.py;"
        f" {new}/pg_upgrade --link --old-bindir {old} --new-bindir {new} --check, then without.",
        "Way back until here: start the old cluster again (after --link ran: from a standby).",
        "patronictl remove the cluster's key in etcd (its system id is another); `pulumi up` with"
        f" the branch: {found.leader} leads on {to}.",
        f"On {standbys}: `patronictl reinit`; writes are back with the first that streams.",
        "vacuumdb --all --analyze-in-stages; ALTER EXTENSION ... UPDATE for"
        f" {', '.join(found.extensions) or 'none'}; pgbackrest stanza-upgrade; full backup; drill.",
        f"After a week without regret: remove {_HOME}/{POSTGRESQL} and postgresql-{POSTGRESQL}.",
    )
    head = f"From {POSTGRESQL} to {to}: {found.bytes >> 20} MiB, {found.leader} leads. Checked."
    return "\n".join([head, *(f"{number:>2}. {step}" for number, step in enumerate(steps, 1))])


def _sql(leader: Machine, question: str, database: str = "postgres") -> str:
    return leader.run(f"{_PSQL} -c '{question}' {database}").strip()
