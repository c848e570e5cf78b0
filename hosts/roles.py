"""Roles, databases and extensions of a PostgreSQL cluster: written by whoever leads.

The script that makes them may run again at any time. A digest of it, kept in the database as a
comment, says whether it has: it follows the data to each standby and into each backup.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.operations import files, server
from typing_extensions import override

from .checks import identifier, refuse, sql_name
from .deploying import deploy
from .pair import Pair
from .patroni import FOLDER
from .rendering import rendered


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A database, and the role that owns it."""

    name: str
    owner: str
    password: Pair
    """Of the owner, and of a second account that is the owner once it is logged in."""
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse(
            [
                *sql_name("name", self.name),
                *sql_name("owner", self.owner),
                *(fault for name in self.extensions for fault in identifier("extensions", name)),
            ]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """Who may log in, and what is theirs."""

    databases: tuple[Database, ...]
    pooler: Pair
    replication: Pair
    rewind: Pair


class Applied(FactBase[str]):
    """The digest of the script that ran last; nothing where this machine does not lead."""

    default = str

    @override
    def command(self) -> str:
        question = (
            "SELECT coalesce(shobj_description(oid, 'pg_database'), 'nothing') FROM pg_database"
            " WHERE datname = 'postgres' AND NOT pg_is_in_recovery()"
        )
        return f'runuser -u postgres -- psql -XAtc "{question}" postgres 2>/dev/null || true'

    @override
    def process(self, output: list[str]) -> str:
        return "".join(output).strip()


@deploy("Roles and databases")
def roles(wanted: Roles) -> None:
    """Write the script everywhere; where the leader is, run it if it has not run yet."""
    script = rendered("roles.sql.j2", wanted=wanted).getvalue()
    digest = f"roles {hashlib.sha256(script.encode()).hexdigest()[:16]}"
    place = f"{FOLDER}/roles.sql"
    files.put(
        name="Write the script of roles and databases",
        src=rendered("roles.sql.j2", wanted=wanted),
        dest=place,
        user="root",
        group="postgres",
        mode="640",
    )
    server.shell(
        name="Have the roles and databases",
        commands=[
            f"runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -v digest='{digest}'"
            f" -f {place} postgres >/dev/null"
        ],
        _timeout=60,
        _if=lambda: host.get_fact(Applied) not in ("", digest),
    )
