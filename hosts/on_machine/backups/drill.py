"""Restores the backup to a moment drawn at random, beside the server, and judges what comes out.

The oracle is the rows of markers.py: those in the live database that were written by then must be
there, unchanged, and none that was written later. So must be every row of everybody's tables that
was committed by then and not changed since (rows.py). Then every table and index is checked, and
every page's checksum. What is found is left as a report and as metrics; any fault is a failure.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import settings
from .log import end_of
from .machine import heavy_worker, members, pgbackrest, repository, say, sql, write_metrics
from .markers import KEPT_DAYS
from .rows import compared
from .scratch import LONGEST, Scratch

SCRATCH = Path("/var/lib/postgresql/drill")
REPORTS = settings.STATE / "drills"
_DAY = 86400
# A row says when it was written, the log when it was committed, which is a little later.
_COMMIT_SECONDS = 1.0
MARKERS = "SELECT id, extract(epoch FROM at), word FROM platform.markers"
TABLES = """
SELECT format('SELECT count(*) FROM %I.%I', n.nspname, c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \\gexec
"""
Markers = dict[int, tuple[float, str]]


@dataclass(kw_only=True, slots=True)
class Report:
    """What a drill found; ``faults`` is empty where the backup is proven."""

    cluster: str
    machine: str
    began: float
    target: float | None = None
    backup: str | None = None
    rpo_seconds: float | None = None
    """What would have been lost had all machines been lost when the drill began."""
    rto_seconds: float | None = None
    """From the start of the restore until the database answers."""
    seconds: dict[str, float] = field(default_factory=dict)
    markers: dict[str, int] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)
    tables: int = 0
    rows: int = 0
    database_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Tell whether the backup is proven."""
        return not self.faults


def main() -> None:
    """Drill, if it is this machine's turn or if it was asked for: ``drill scheduled|asked``."""
    told = settings.read()
    if sys.argv[1] != "asked":
        turn = heavy_worker(members(told["api"], told["authority"]))
        if turn != told["name"]:
            say(f"it is the turn of {turn}: nothing to do")
            return
        if time.time() - last_proven() < (told["drill_every_days"] - 0.5) * _DAY:
            say("proven not long ago: nothing to do")
            return
    report = Report(cluster=told["cluster"], machine=told["name"], began=time.time())
    scratch = Scratch(cluster=told["cluster"], folder=SCRATCH)
    try:
        drill(report, scratch)
    finally:
        scratch.remove()
    keep(report)
    if not report.proven:
        sys.exit("the backup is NOT proven:\n  " + "\n  ".join(report.faults))
    say(f"proven: {told['cluster']} as of {told_time(report.target)} in {report.rto_seconds} s")


def drill(report: Report, scratch: Scratch) -> None:
    """Fill in a report; what can't be done without an earlier step is left out."""

    def step(name: str, work: Callable[[], None]) -> bool:
        began = time.monotonic()
        try:
            work()
        except (RuntimeError, OSError, ValueError) as error:
            report.faults.append(f"{name}: {error}")
        report.seconds[name] = round(time.monotonic() - began, 2)
        return not report.faults

    moment: list[float] = []
    if not step("choose", lambda: moment.append(choose(report))):
        return
    opened = step("restore", lambda: restore(scratch, moment[0])) and step("replay", scratch.start)
    if opened:
        report.rto_seconds = round(report.seconds["restore"] + report.seconds["replay"], 2)
        step("compare", lambda: compare(report, scratch))
        step("rows", lambda: compare_rows(report, scratch))
        step("amcheck", lambda: amcheck(scratch))
        step("checksums", lambda: checksums(scratch))
    step("repository", lambda: verify(scratch.cluster))


def choose(report: Report) -> float:
    """Draw a moment that the repository should know, and note what it holds."""
    found = repository(report.cluster)
    now = time.time()
    newest = newest_archived(found, read_log())
    if newest is None:
        raise ValueError("no marker has been archived yet: does database-markers.service run?")
    report.rpo_seconds = round(now - newest, 2)
    target, backup = drawn(found["backup"], newest, now)
    report.target, report.backup = target, backup["label"]
    report.database_bytes = backup["info"]["size"]
    room = shutil.disk_usage(SCRATCH.parent).free
    needed = int(backup["info"]["size"] * 1.2) + (1 << 28)
    if room < needed:
        raise ValueError(f"needs {needed >> 20} MiB below {SCRATCH.parent}, free: {room >> 20} MiB")
    return target


def read_log() -> list[tuple[str, float]]:
    """Return how far the log was at each marker of the live database, and when that was."""
    said = sql("SELECT lsn, extract(epoch FROM at) FROM platform.markers ORDER BY at")
    return [(lsn, float(at)) for lsn, at in (line.split("|") for line in said.splitlines())]


def newest_archived(found: dict[str, Any], log: Iterable[tuple[str, float]]) -> float | None:
    """Return when the newest marker was written whose log is in the repository."""
    last = max((a["max"] for a in found["archive"] if a["max"]), default=None)
    if last is None:
        return None
    end = end_of(last)
    return max((at for lsn, at in log if number(lsn) < end), default=None)


def number(lsn: str) -> int:
    """Return a place in the log as a number."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def drawn(backups: list[dict[str, Any]], newest: float, now: float) -> tuple[float, dict[str, Any]]:
    """Return a moment at random, and the backup that a restore to it starts from."""
    usable = [b for b in backups if not b.get("error")]
    first = min((b["timestamp"]["stop"] for b in usable), default=newest)
    earliest = max(first + 1, now - (KEPT_DAYS - 1) * _DAY)
    latest = newest - _COMMIT_SECONDS
    if earliest >= latest:
        raise ValueError("no moment to restore to: nothing was archived since the first backup")
    target = round(random.SystemRandom().uniform(earliest, latest), 3)
    before = [b for b in usable if b["timestamp"]["stop"] < target]
    return target, max(before, key=lambda b: b["timestamp"]["stop"])


def restore(scratch: Scratch, moment: float) -> None:
    """Copy what the moment needs."""
    scratch.restore("--type=time", f"--target={told_time(moment)}")


def told_time(moment: float | None) -> str:
    """Return a moment as pgBackRest and people read it."""
    return datetime.fromtimestamp(moment or 0, UTC).isoformat(sep=" ", timespec="milliseconds")


def compare(report: Report, scratch: Scratch) -> None:
    """Hold the restored markers against the live ones; count the rows of all tables."""
    target = report.target or 0.0
    since = max(report.began - (KEPT_DAYS - 1) * _DAY, 0)
    where = f"{MARKERS} WHERE at > to_timestamp({since})"
    live, restored = read_markers(sql(where)), read_markers(scratch.ask(where))
    report.markers = verdict(live, restored, target)
    databases = scratch.ask("SELECT datname FROM pg_database WHERE datallowconn").splitlines()
    counts = [n for name in databases for n in scratch.ask(TABLES, name).splitlines()]
    report.tables, report.rows = len(counts), sum(map(int, counts))
    wrong = {what: n for what, n in report.markers.items() if n and what != "expected"}
    if wrong or not report.markers["expected"]:
        raise ValueError(f"the markers differ: {report.markers}")


def compare_rows(report: Report, scratch: Scratch) -> None:
    """Hold everybody's rows against the live ones."""
    moment = (report.target or 0.0) - _COMMIT_SECONDS
    report.compared = compared(
        lambda text, database: sql(text, database=database, seconds=LONGEST), scratch.ask, moment
    )
    if report.compared["missing"]:
        raise ValueError(f"rows are missing or differ: {report.compared}")


def read_markers(said: str) -> Markers:
    """Return the markers by number."""
    rows = (line.split("|") for line in said.splitlines())
    return {int(number): (float(at), word) for number, at, word in rows}


def verdict(live: Markers, restored: Markers, target: float) -> dict[str, int]:
    """Count what should be there, is missing, is another than it was, and can't be there yet."""
    expected = {n for n, (at, _) in live.items() if at <= target - _COMMIT_SECONDS}
    return {
        "expected": len(expected),
        "missing": len(expected - restored.keys()),
        "altered": sum(restored[n] != live[n] for n in live.keys() & restored.keys()),
        "unexpected": sum(at > target or n not in live for n, (at, _) in restored.items()),
    }


def amcheck(scratch: Scratch) -> None:
    """Check the structure of every table and index."""
    scratch.run("pg_amcheck", "--host", scratch.sockets, "--port=5432", "--all",
                "--install-missing", "--heapallindexed")  # fmt: skip


def checksums(scratch: Scratch) -> None:
    """Check every page."""
    scratch.stop()
    scratch.run("pg_checksums", "--check", f"--pgdata={scratch.data}")


def verify(cluster: str) -> None:
    """Read all that the repository holds, also what no restore of today needs."""
    said = pgbackrest(cluster, "--output=text", "--verbose", "verify", seconds=LONGEST)
    if "status: ok" not in said:
        raise ValueError(" ".join(said.split()))


def last_proven() -> float:
    """Return when this machine last proved a backup."""
    file = REPORTS / "last-proven"
    return float(file.read_text()) if file.exists() else 0.0


def keep(report: Report) -> None:
    """Leave the report and the metrics; what was proven last stays known."""
    REPORTS.mkdir(exist_ok=True)
    document = {**asdict(report), "proven": report.proven}
    name = datetime.fromtimestamp(report.began, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    text = json.dumps(document, indent=2) + "\n"
    (REPORTS / f"{name}.json").write_text(text)
    if report.proven:
        (REPORTS / "last-proven").write_text(str(report.began))
    values = {
        "database_drill_proven": float(report.proven),
        "database_drill_last_timestamp_seconds": report.began,
        "database_drill_last_proven_timestamp_seconds": last_proven(),
    }
    for what, value in (("rto", report.rto_seconds), ("rpo", report.rpo_seconds)):
        if value is not None:
            values[f"database_drill_{what}_seconds"] = value
    write_metrics("database-drill", values)


if __name__ == "__main__":
    main()
