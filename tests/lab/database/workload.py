"""Unique numbers are written through the address, by clients that only know the address.

Each is recorded as acknowledged, refused, or unknown: asked for and never answered. The verdict
is Jepsen's "set" test: what was acknowledged must be there, and nothing that was not asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from lab.machines.network import entered

EVERY_SECONDS = 0.04
TABLE = "numbers"
INSERT = f"INSERT INTO {TABLE} VALUES (%s)"  # noqa: S608 - no input of anybody
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


@dataclass
class Workload:
    """Writers that go on until they are told to stop."""

    namespace: Path
    where: dict[str, Any]
    writers: int = 2
    checked: bool = False
    """Whether each connection is tried before it is used, as the pools of applications do."""
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
        try:
            connection.execute(INSERT, (number,))
        except psycopg.Error as error:
            outcome = "refused" if isinstance(error, REFUSED) else "unknown"
            self.tries.append(Try(number, began, time.monotonic(), outcome, _words(error)))
            with suppress(psycopg.Error):
                connection.close()
            return None
        self.tries.append(Try(number, began, time.monotonic(), "acknowledged"))
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


def verdict(workload: Workload, found: set[int]) -> dict[str, int]:
    """Return how many numbers were lost, and how many nobody asked for."""
    asked = {t.number for t in workload.tries}
    return {
        "acknowledged": len(workload.of("acknowledged")),
        "refused": len(workload.of("refused")),
        "unknown": len(workload.of("unknown")),
        "lost": len(workload.of("acknowledged") - found),
        "unexpected": len(found - asked),
    }


def _words(error: psycopg.Error) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
