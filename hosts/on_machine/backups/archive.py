"""Looks whether the log arrives in the repository, and whether all of it is there.

A piece that waits too long, a hole in what was archived since the last full backup, or a backup
that is overdue is a failure of the unit, with the reason in the journal and in metrics. Exit
status 3 is a hole, or no backup yet: nothing can be restored from there on until there is a full
one, which the unit then starts.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from . import settings
from .log import missing, pieces
from .machine import METRICS, leads, members, repository, say, sql, write_metrics
from .store import REFUSED, Store, reason

NEEDS_FULL = 3
LATE_SECONDS = 300
NAME = "database-backups"
WAITING = """
SELECT left(name, 24), extract(epoch FROM clock_timestamp() - modification)
FROM pg_ls_archive_statusdir() WHERE name ~ '^[0-9A-F]{24}\\.ready$'
"""
ARCHIVER = "SELECT extract(epoch FROM last_archived_time)::bigint FROM pg_stat_archiver"


def main() -> None:
    """Look, where the leader is: ``archive [SECONDS that a piece may wait]``."""
    told = settings.read()
    if not leads(told["name"], members(told["api"], told["authority"])):
        (METRICS / f"{NAME}.prom").unlink(missing_ok=True)
        say("this machine does not lead: nothing to do")
        return
    late = float(sys.argv[1]) if len(sys.argv) > 1 else LATE_SECONDS
    waits = waiting(sql(WAITING))
    faults, values = archiving(waits, late)
    gaps: list[str] = []
    first = False
    try:
        found = repository(told["cluster"])
        values.update(ages(found["backup"]))
        first = not found["backup"]
        faults += overdue(found["backup"], told["backup_hours"])
        gaps = holes(told, found, waits)
        values["database_archive_missing_pieces"] = len(gaps)
    except (RuntimeError, *REFUSED) as error:
        faults.append(reason(error))
    if gaps:
        faults.append(f"{len(gaps)} pieces of log are missing since the last full backup: {gaps}")
    values["database_archive_faults"] = len(faults)
    write_metrics(NAME, values)
    for fault in faults:
        say(f"ALARM: {fault}")
    sys.exit(NEEDS_FULL if gaps or first else bool(faults))


def waiting(said: str) -> dict[str, float]:
    """Return which pieces wait, and for how many seconds."""
    rows = (line.split("|") for line in said.splitlines())
    return {name: float(seconds) for name, seconds in rows}


def archiving(waits: dict[str, float], late: float) -> tuple[list[str], dict[str, float]]:
    """Return what is wrong with the pieces that wait, and the numbers."""
    oldest = max(waits.values(), default=0.0)
    last = sql(ARCHIVER)
    values = {
        "database_archive_waiting_pieces": len(waits),
        "database_archive_oldest_waiting_seconds": oldest,
        "database_archive_last_timestamp_seconds": float(last or 0),
    }
    if oldest <= late:
        return [], values
    return [
        f"{len(waits)} pieces of log wait to be archived, the oldest for {oldest:.0f} s"
    ], values


def ages(backups: list[dict[str, Any]]) -> dict[str, float]:
    """Return when the last backup of each kind ended."""
    last: dict[str, float] = {}
    for backup in backups:
        last[backup["type"]] = max(last.get(backup["type"], 0), backup["timestamp"]["stop"])
    return {
        f'database_backup_last_timestamp_seconds{{type="{kind}"}}': at for kind, at in last.items()
    }


def overdue(backups: list[dict[str, Any]], hours: float) -> list[str]:
    """Return whether the last backup is too old; one that was never made is the repository's."""
    if not backups:
        return ["there is no backup yet"]
    age = (time.time() - max(backup["timestamp"]["stop"] for backup in backups)) / 3600
    return [f"the last backup is {age:.1f} h old, expected at most {hours}"] if age > hours else []


def holes(told: dict[str, Any], found: dict[str, Any], waits: dict[str, float]) -> list[str]:
    """Return which pieces are neither in the store nor on their way, since the last full backup."""
    fulls = [b for b in found["backup"] if b["type"] == "full" and not b["error"]]
    starts = [b["archive"]["start"] for b in fulls]
    if not starts:
        return []
    since = max(starts)
    # The last one is today's: there is another for each version and each founding.
    archive = found["archive"][-1]["id"]
    folder = f"{told['repository']}/archive/{told['cluster']}/{archive}/"
    keys = Store(told["store"]).keys(folder, after=f"{folder}{since[:16]}/{since}")
    return [name for name in missing(pieces(keys), since) if name not in waits]


if __name__ == "__main__":
    main()
