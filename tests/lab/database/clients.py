"""Clients of a tier on its second day: none of them should notice what is done to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.machines.network import NAMESPACES, entered

from .tier import VIRTUAL, Tier
from .workload import TABLE, Workload, verdict

ACCOUNTS = {
    "owner": "cold_user",
    "replication": "replicator",
    "rewind": "rewinder",
    "pooler": "pooler",
    "redis": "application",
    "redis_replication": "replica",
}


def clients_of(tier: Tier, folder: Path, **more: Any) -> Workload:
    """Return writers that reach the tier as applications do, and an empty table for them."""
    ca = folder / "ca.pem"
    ca.write_text(tier.trusted)
    user, password = in_use(tier, "owner")
    where = {
        "host": VIRTUAL, "port": 6432, "dbname": "cold_db", "user": user,
        "password": password, "sslmode": "verify-full", "sslrootcert": str(ca),
    }  # fmt: skip
    # As the pools of applications do: a connection is tried before it is used.
    made = Workload(NAMESPACES / tier.lab.place.namespace, where, checked=True, **more)
    with entered(made.namespace), made.connect() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        connection.execute(f"CREATE TABLE {TABLE} (number integer PRIMARY KEY)")
    return made


def in_use(tier: Tier, name: str) -> tuple[str, str]:
    """Return the account that is used, and its word."""
    pair, account = tier.secret[name], ACCOUNTS[name]
    which = pair["in_use"]
    # Redis takes two words of one account.
    alone = which == "first" or name.startswith("redis")
    return account if alone else f"{account}_2", pair[which]


def found(workload: Workload) -> dict[str, int]:
    """Return the verdict of all that was asked for, read where the leader is."""
    with entered(workload.namespace), workload.connect() as connection:
        rows = connection.execute(f"SELECT number FROM {TABLE} FOR UPDATE").fetchall()  # noqa: S608
    told = verdict(workload, {row[0] for row in rows})
    print("\n", told, [t.error for t in workload.tries if t.error])  # noqa: T201 - a report
    return told


def writes(tier: Tier, workload: Workload, more: int = 40) -> None:
    """Wait until some more writes are acknowledged."""
    until = len(workload.of("acknowledged")) + more
    assert tier.becomes(lambda: len(workload.of("acknowledged")) > until, 30)
