"""A client of Redis that writes numbers through the address, and notes when that worked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hosts.on_machine.redis_follows import Redis
from lab.machines.network import entered

EVERY_SECONDS = 0.05
SET = "numbers"


@dataclass
class CacheWrites:
    """One client that connects again after each failure."""

    namespace: Path
    address: str
    password: str
    done: list[float] = field(default_factory=list)
    """When each number was acknowledged, from 0 on."""
    errors: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[CacheWrites]:
        thread = threading.Thread(target=self._write, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(10)

    def _write(self) -> None:
        with entered(self.namespace):
            while not self._stop.is_set():
                try:
                    with self._connected() as connection:
                        redis = self._redis(connection)
                        while not self._stop.wait(EVERY_SECONDS):
                            redis.ask("SADD", SET, str(len(self.done)))
                            self.done.append(time.monotonic())
                except (OSError, ValueError) as error:
                    self.errors.add(str(error).split()[0])
                    self._stop.wait(EVERY_SECONDS)

    def _connected(self) -> socket.socket:
        return socket.create_connection((self.address, 6379), 1)

    def _redis(self, connection: socket.socket) -> Redis:
        redis = Redis(connection)
        redis.ask("AUTH", "application", self.password)
        return redis

    def outage(self) -> float:
        """Return the longest time without a write."""
        return max(b - a for a, b in pairwise(self.done))

    def lost(self) -> int:
        """Return how many that were acknowledged are not there."""
        with entered(self.namespace), self._connected() as connection:
            found = {int(n) for n in self._redis(connection).ask("SMEMBERS", SET)}
        return len(set(range(len(self.done))) - found)
