"""Unique numbers are written through the address, by clients that only know the address.

Each is recorded as acknowledged, refused, or unknown: asked for and never answered. The verdict
is Jepsen's "set" test: what was acknowledged must be there, and nothing that was not asked for.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import psycopg

from lab.machines.network import entered

EVERY_SECONDS = 0.04
TABLE = "numbers"
# The name of the log's file begins with the timeline: who acknowledges on an old one while there
# is a newer is a second leader.
INSERT = (
    f"INSERT INTO {TABLE} VALUES (%s) "  # noqa: S608 - no input of anybody
    "RETURNING pg_walfile_name(pg_current_wal_insert_lsn())"
)
# Without these a client does not notice that the machine is gone which it talks to: while it asks,
# and while it waits for an answer.
_NOTICE = {
    "connect_timeout": 2,
    "tcp_user_timeout": 2000,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
# Errors that say that the statement was not done; after all others nobody knows.
REFUSED = (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.CannotConnectNow)


@dataclass(frozen=True)
class Try:
    """One number: when it was asked for, when that ended, and how."""

    number: int
    began: float
    ended: float
    outcome: str
    error: str = ""
    timeline: int = 0


@dataclass
class Workload:
    """Writers that go on until they are told to stop."""

    namespace: Path
    where: dict[str, Any]
    writers: int = 2
    checked: bool = False
    """Whether each connection is tried before it is used, as the pools of applications do."""
    anew: bool = False
    """Whether every other writer logs in for each write."""
    tries: list[Try] = field(default_factory=list)
    connects: list[tuple[float, str]] = field(default_factory=list)
    """Connections that failed; nothing had been asked of them."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Workload]:
        """Write until the end of the block."""
        threads = [
            threading.Thread(target=self._write, args=(n,), daemon=True)
            for n in range(self.writers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)

    def connect(self, **more: Any) -> psycopg.Connection[Any]:
        """Connect as an application is told to."""
        told = {**_NOTICE, **self.where, **more}
        connection = psycopg.connect(**told, autocommit=True)
        connection.prepare_threshold = None
        return connection

    def _write(self, writer: int) -> None:
        with entered(self.namespace):
            number = writer
            connection: psycopg.Connection[Any] | None = None
            while not self._stop.is_set():
                if connection is None or (self.checked and self._died(connection)):
                    connection = self._connected()
                else:
                    connection = self._one(connection, number)
                    number += self.writers
                if connection is not None and self.anew and writer % 2:
                    connection.close()
                    connection = None
                self._stop.wait(EVERY_SECONDS)
            if connection is not None:
                connection.close()

    def _connected(self) -> psycopg.Connection[Any] | None:
        try:
            return self.connect()
        except psycopg.Error as error:
            self.connects.append((time.monotonic(), _words(error)))
            return None

    def _died(self, connection: psycopg.Connection[Any]) -> bool:
        try:
            connection.execute("")
        except psycopg.Error as error:
            self.connects.append((time.monotonic(), _words(error)))
            with suppress(psycopg.Error):
                connection.close()
            return True
        return False

    def _one(
        self, connection: psycopg.Connection[Any], number: int
    ) -> psycopg.Connection[Any] | None:
        began = time.monotonic()
        warnings: list[str] = []
        handler = _collector(warnings)
        connection.add_notice_handler(handler)
        try:
            row = connection.execute(INSERT, (number,)).fetchone()
        except psycopg.Error as error:
            outcome = "refused" if isinstance(error, REFUSED) else "unknown"
            self.tries.append(Try(number, began, time.monotonic(), outcome, _words(error)))
            with suppress(psycopg.Error):
                connection.close()
            return None
        connection.remove_notice_handler(handler)
        timeline = int(row[0][:8], 16) if row else 0
        # "Success" with a warning: committed here, and on how many others nobody knows.
        outcome = "unknown" if warnings else "acknowledged"
        words = "; ".join(warnings)
        self.tries.append(Try(number, began, time.monotonic(), outcome, words, timeline))
        return connection

    def of(self, outcome: str) -> set[int]:
        """Return the numbers that ended in one way."""
        return {t.number for t in self.tries if t.outcome == outcome}

    def outage(self, since: float) -> float:
        """Return the longest time after a moment in which nothing was acknowledged."""
        ends = sorted(t.ended for t in self.tries if t.outcome == "acknowledged")
        before = max((end for end in ends if end <= since), default=since)
        after = [before, *(end for end in ends if end > since)]
        return max((b - a for a, b in pairwise(after)), default=float("inf"))

    def stale(self) -> int:
        """Return how many were acknowledged on a timeline after a newer one had been seen."""
        seen = sorted((t.ended, t.timeline) for t in self.tries if t.timeline)
        newest = list(accumulate((line for _, line in seen), max))
        found = 0
        for t in self.tries:
            earlier = bisect_left(seen, (t.began,))
            found += bool(
                earlier and t.outcome == "acknowledged" and t.timeline < newest[earlier - 1]
            )
        return found

    def availability(self, since: float, longest: float = 1) -> float:
        """Return the share of the time after a moment, without pauses of so many seconds."""
        ends = sorted(t.ended for t in self.tries if t.outcome == "acknowledged")
        ends = [since, *(end for end in ends if end > since)]
        away = sum(b - a for a, b in pairwise(ends) if b - a > longest)
        return 1 - away / max(ends[-1] - since, longest)


def verdict(workload: Workload, found: set[int]) -> dict[str, int]:
    """Return how many numbers were lost, and how many nobody asked for."""
    asked = {t.number for t in workload.tries}
    return {
        "acknowledged": len(workload.of("acknowledged")),
        "refused": len(workload.of("refused")),
        "unknown": len(workload.of("unknown")),
        "lost": len(workload.of("acknowledged") - found),
        "unexpected": len(found - asked),
        "stale": workload.stale(),
    }


def _collector(into: list[str]) -> Callable[[psycopg.errors.Diagnostic], None]:
    return lambda notice: into.append(str(notice.message_primary))


def _words(error: psycopg.Error) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
