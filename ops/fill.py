"""Fill a stack's database with another's, masked: production's rows into testing.

    python -m ops.fill testing --from production --masked-by masking.sql

What must not leave the machines of the stack it belongs to does not: there a copy opens beside a
standby, the file's SQL changes it in one transaction, and what is there then is sent. The database
that was there before stays beside the new one until the next time, as ``NAME_before``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.settings import PROJECT
from ops import database
from ops.reach import FailedError, Machine, pipe
from ops.stack_files import StackFile
from ops.tier import Tier, tier_of

LONGEST = 12 * 3600
_AS_POSTGRES = "cd / && runuser -u postgres --"
# Details of an error name rows.
_PSQL = f"{_AS_POSTGRES} psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=terse"
_MAKE = """\
DROP DATABASE IF EXISTS {name}_incoming WITH (FORCE);
CREATE DATABASE {name}_incoming OWNER {owner};
REVOKE ALL ON DATABASE {name}_incoming FROM PUBLIC;
"""
_SWAP = """\
DROP DATABASE IF EXISTS {name}_before WITH (FORCE);
ALTER DATABASE {name} ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' \\g /dev/null
BEGIN;
ALTER DATABASE {name} RENAME TO {name}_before;
ALTER DATABASE {name}_incoming RENAME TO {name};
COMMIT;
ALTER DATABASE {name}_before ALLOW_CONNECTIONS true;
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """One of a stack's databases."""

    name: str
    owner: str


def fill(
    target: Tier, into: Database, source: Tier, taken: Database, *, masking: str, moment: str = ""
) -> None:
    """Have the rows of one database, masked, in another; the source's tier is only read."""
    refuse(
        [
            *_unwell("the stack that is filled", target),
            *_unwell("the stack that is taken from", source),
            *_no_masking(masking),
            *(
                [f"owner: expected {taken.owner}, as where the rows come from, got {into.owner}"]
                if into.owner != taken.owner
                else []
            ),
        ]
    )
    standby, leader = source.replicas_first()[0], target.replicas_first()[-1]
    # All of it has been archived by then.
    asked = f"{_PSQL} -c \"SELECT clock_timestamp() - interval '2 min'\""
    moment = moment or standby.run(asked).strip()
    database.restore_to(source, moment, standby.name, agreed=True)
    try:
        _mask(standby, taken, masking)
        leader.run(_PSQL, stdin=_MAKE.format(name=into.name, owner=into.owner).encode())
        pipe(
            standby,
            f"{_AS_POSTGRES} pg_dump -Fc -h {database.RESTORED}/run {taken.name}",
            leader,
            f"{_AS_POSTGRES} pg_restore --exit-on-error --single-transaction"
            f" --dbname={into.name}_incoming",
            seconds=LONGEST,
        )
    finally:
        standby.run("systemctl stop database-restored")
    leader.run(_PSQL, stdin=_SWAP.format(name=into.name).encode())
    print(f"{into.name} holds what was in {taken.name} at {moment}, masked")


def _mask(standby: Machine, taken: Database, masking: str) -> None:
    standby.run(
        f"{_PSQL} --single-transaction -h {database.RESTORED}/run {taken.name} >/dev/null",
        stdin=masking.encode(),
        seconds=LONGEST,
    )
    print("masked")


def refuse(faults: Sequence[str]) -> None:
    """Say all that is wrong, before anything is done."""
    if faults:
        raise FailedError("nothing was done:\n  " + "\n  ".join(faults))


def _unwell(what: str, tier: Tier) -> Iterator[str]:
    if not tier.well():
        yield f"{what}: its tier is not well: {tier.members()}"


def _no_masking(masking: str) -> Iterator[str]:
    lines = (line.strip() for line in masking.splitlines())
    if not any(line and not line.startswith("--") for line in lines):
        yield "the masking: expected SQL that changes what nobody else may see, got nothing"


def _database_of(file: StackFile) -> Database:
    section = file.section("database")
    return Database(name=section["name"], owner=section["owner"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    target, source = (
        StackFile(project=options.project, stack=stack) for stack in (options.stack, options.source)
    )
    try:
        refuse(
            [
                *([f"{options.stack}: is filled from itself"] if target == source else []),
                *(
                    [f"{options.stack}: protects its data: what is there is not replaced"]
                    if target.section("environment").get("protect_data")
                    else []
                ),
            ]
        )
        with (
            tier_of(options.stack, options.project) as filled,
            tier_of(options.source, options.project) as read,
        ):
            fill(
                filled,
                _database_of(target),
                read,
                _database_of(source),
                masking=options.masked_by.read_text(),
                moment=options.as_of,
            )
    except (FailedError, OSError, ValueError) as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.fill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack", help="whose database is replaced")
    parser.add_argument("--from", dest="source", required=True, help="the stack with the rows")
    parser.add_argument(
        "--masked-by", type=Path, required=True, help="SQL for the copy, in one transaction"
    )
    parser.add_argument("--as-of", default="", help="a moment with its time zone; two minutes ago")
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
