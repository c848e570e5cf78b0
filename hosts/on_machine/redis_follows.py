#!/usr/bin/env python3
"""Makes Redis the master where the database address is: ``redis-follows SETTINGS.json``.

Everywhere else it copies from the address, so that nobody has to know who the master is.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

INTERVAL = 0.5
_TIMEOUT = 2


def main() -> None:
    """Follow for ever; Redis may be away for a while."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    address, port = settings["address"], settings["port"]
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as connection:
                redis = Redis(connection)
                redis.ask("AUTH", settings["user"], settings["password"])
                while True:
                    role, *rest = redis.ask("ROLE")
                    follows = (role, *map(str, rest[:2]))
                    if change := wanted(holds(address), follows, address, str(port)):
                        sys.stderr.write(f"{' '.join(follows)}: {' '.join(change)}\n")
                        redis.ask(*change)
                    time.sleep(INTERVAL)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"Redis does not answer: {error}\n")
            time.sleep(INTERVAL)


def wanted(here: bool, follows: tuple[str, ...], address: str, port: str) -> tuple[str, ...]:
    """Return the command that makes the role right, or nothing."""
    if here:
        return () if follows[0] == "master" else ("REPLICAOF", "NO", "ONE")
    return () if follows[:3] == ("slave", address, port) else ("REPLICAOF", address, port)


def holds(ip: str) -> bool:
    """Tell whether this machine has an address: only then can a socket be bound to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            return False
    return True


class Redis:
    """A connection to Redis, as far as it is needed here."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(_TIMEOUT)
        self._connection = connection
        self._file = connection.makefile("rb")

    def ask(self, *words: str) -> list[str]:
        """Send a command, and return what it answers, flat."""
        parts = [f"*{len(words)}\r\n", *(f"${len(w.encode())}\r\n{w}\r\n" for w in words)]
        self._connection.sendall("".join(parts).encode())
        return self._read()

    def _read(self) -> list[str]:
        line = self._file.readline().decode().rstrip("\r\n")
        kind, text = line[:1], line[1:]
        if kind == "*":
            return [item for _ in range(int(text)) for item in self._read()]
        if kind == "$":
            return [self._file.read(int(text) + 2)[:-2].decode()]
        if kind in ("+", ":"):
            return [text]
        raise ValueError(text or "the connection ended")


if __name__ == "__main__":
    main()
