"""Holds the rows of a restored copy against those of the live database, table by table.

A row that was committed before the moment of the copy, and that nobody changed since, must be there
as it is. The live database says when each row was committed (``track_commit_timestamp``); one too
old to be known is old enough. Of a large table some stretches are looked at, drawn at random. A
table that was rewritten or altered since can't be compared, and is counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Ask = Callable[[str, str], str]
"""Asks a server a question in a database."""
STRETCHES, BLOCKS = 10, 100
DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
TABLES = """
SELECT c.oid, pg_relation_filenode(c.oid), pg_relation_size(c.oid) / 8192,
       md5(string_agg(a.attname || ' ' || a.atttypid, ',' ORDER BY a.attnum)),
       format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname <> 'platform'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY c.oid, c.relname, n.nspname
"""
# What a value looks like must not depend on whom one asks.
_ALIKE = "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET extra_float_digits = 1;"
_ROWS = "SELECT md5(t::text) FROM ONLY {table} t WHERE ({where})"
_OLD = " AND coalesce(pg_xact_commit_timestamp(t.xmin) <= to_timestamp({moment}), true)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table: which it is, where it is stored, how many blocks it has, and its columns."""

    oid: str
    stored: str
    blocks: int
    columns: str
    name: str


def compared(live: Ask, restored: Ask, moment: float) -> dict[str, int]:
    """Count tables and rows that were compared, tables that could not be, and rows that differ."""
    told = Counter(tables=0, rows=0, skipped=0, missing=0)
    for database in live(DATABASES, "postgres").splitlines():
        known = tables(restored(TABLES, database)) if _has(restored, database) else {}
        for table in tables(live(TABLES, database)).values():
            there = known.get(table.oid)
            if there and (there.stored, there.columns) != (table.stored, table.columns):
                told["skipped"] += 1
                continue
            where = " OR ".join(stretches(table.blocks))
            asked = f"{_ALIKE}{_ROWS.format(table=table.name, where=where)}"
            wanted = Counter(live(asked + _OLD.format(moment=moment), database).split())
            found = Counter(restored(asked, database).split()) if there else Counter()
            told["tables"] += 1
            told["rows"] += wanted.total()
            told["missing"] += (wanted - found).total()
    return dict(told)


def tables(said: str) -> dict[str, Table]:
    """Return tables by what they are called inside, which no renaming changes."""
    rows = (line.split("|", 4) for line in said.splitlines())
    return {
        oid: Table(oid=oid, stored=stored, blocks=int(blocks), columns=columns, name=name)
        for oid, stored, blocks, columns, name in rows
    }


def stretches(blocks: int) -> Iterator[str]:
    """Yield conditions that take in the whole of a small table, and parts of a large one."""
    if blocks <= STRETCHES * BLOCKS:
        yield "true"
        return
    for start in random.SystemRandom().sample(range(0, blocks, BLOCKS), STRETCHES):
        yield f"t.ctid >= '({start},0)' AND t.ctid < '({start + BLOCKS},0)'"


def _has(ask: Ask, database: str) -> bool:
    return database in ask(DATABASES, "postgres").splitlines()
