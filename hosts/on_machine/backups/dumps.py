"""Logical dumps of every database, encrypted for a key that is nowhere near, in the bucket.

``dumps make``: made by the standby least wanted as leader. ``dumps list``: which are complete.
``dumps restore WHEN DATABASE NAME``: into a new database, where the leader is; the key that opens
them (an OpenSSH private key) comes on standard input.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import IO, Any, cast

from . import settings
from .machine import SOCKETS, heavy_worker, leads, members, say, sql, write_metrics
from .store import REFUSED, Store, reason

COMPLETE = "complete.json"
DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WHEN = "%Y-%m-%dT%H-%M-%SZ"
_MISSING = "SELECT count(*) = 0 FROM pg_database WHERE datname = :'name'"


def main() -> None:
    """Do what the first argument says."""
    told = settings.read()
    dumps = Dumps(told)
    try:
        match sys.argv[1:]:
            case ["make"]:
                turn = heavy_worker(members(told["api"], told["authority"]))
                if turn != told["name"]:
                    say(f"it is the turn of {turn}: nothing to do")
                    return
                dumps.make(datetime.now(UTC))
            case ["list"]:
                say("\n".join(dumps.complete()))
            case ["restore", when, database, name]:
                if not leads(told["name"], members(told["api"], told["authority"])):
                    sys.exit("dumps: this machine does not lead, nothing can be written here")
                dumps.restore(when, database, name, sys.stdin.buffer.read())
            case words:
                sys.exit(f"dumps: expected make, list or restore WHEN DATABASE NAME, got {words}")
    except (RuntimeError, *REFUSED) as error:
        sys.exit(f"dumps: {reason(error)}")


class Dumps:
    """The dumps of one cluster."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._store = Store(told["store"])
        self._prefix = f"{told['cluster']}-dumps/"
        self._recipient: str = told["recipient"]
        self._days: int = told["retention_days"]

    def make(self, now: datetime) -> None:
        """Dump all, say that it is complete, and forget what is older than it is kept."""
        began, when = time.monotonic(), now.strftime(_WHEN)
        names = sql(DATABASES).splitlines()
        for name in names:
            dump = ["pg_dump", "--host", SOCKETS, "--port=5432", "--format=custom", name]
            self._encrypted(dump, self._key(when, name))
        # Who may log in, with what their passwords are derived to.
        roles = ["pg_dumpall", "--host", SOCKETS, "--port=5432", "--globals-only"]
        self._encrypted(roles, f"{self._prefix}{when}/globals.sql.age")
        document = json.dumps({"databases": names, "recipient": self._recipient})
        self._store.put(f"{self._prefix}{when}/{COMPLETE}", document.encode())
        forgotten = self.forget(now)
        values = {
            "database_dump_last_timestamp_seconds": now.timestamp(),
            "database_dump_seconds": round(time.monotonic() - began, 2),
            "database_dump_databases": len(names),
        }
        write_metrics("database-dumps", values)
        say(f"{when}: {', '.join(names)} and the roles; {forgotten} objects were too old")

    def complete(self) -> list[str]:
        """Return the names of those that ended well."""
        found = (key.removeprefix(self._prefix) for key in self._store.keys(self._prefix))
        return [key.split("/")[0] for key in found if key.endswith(f"/{COMPLETE}")]

    def forget(self, now: datetime) -> int:
        """Remove what is older than it is kept, but never the last that is complete."""
        oldest = (now - timedelta(days=self._days)).strftime(_WHEN)
        last = max(self.complete(), default="")
        old = [
            key
            for key in self._store.keys(self._prefix)
            if (when := key.removeprefix(self._prefix).split("/")[0]) < oldest and when != last
        ]
        for key in old:
            self._store.delete(key)
        return len(old)

    def restore(self, when: str, database: str, name: str, opener: bytes) -> None:
        """Have a new database with what a dump holds."""
        if not _NAME.fullmatch(name):
            raise RuntimeError(f"{name}: must match {_NAME.pattern}")
        if sql(f"\\set name {name}\n{_MISSING};") != "t":
            raise RuntimeError(
                f"{name} exists: restore into a new database, then move what is missed"
            )
        with ExitStack() as stack:
            key = stack.enter_context(tempfile.NamedTemporaryFile(dir="/run/postgresql"))
            key.write(opener)
            key.flush()
            dump = stack.enter_context(tempfile.TemporaryFile(dir="/var/lib/postgresql"))
            with subprocess.Popen(
                ["age", "--decrypt", "--identity", key.name], stdin=subprocess.PIPE, stdout=dump
            ) as opened:
                _copy(self._store.open(self._key(when, database)), cast("IO[bytes]", opened.stdin))
            if opened.returncode:
                raise RuntimeError(f"{when}/{database} can't be opened with this key")
            os.lseek(dump.fileno(), 0, os.SEEK_SET)
            sql(f'\\set name {name}\nCREATE DATABASE :"name";')
            _run(["pg_restore", "--host", SOCKETS, "--port=5432", "--exit-on-error",
                  "--dbname", name], dump)  # fmt: skip

    def _key(self, when: str, database: str) -> str:
        return f"{self._prefix}{when}/{database}.dump.age"

    def _encrypted(self, command: list[str], key: str) -> None:
        """Store what a command says, encrypted; nothing of it if the command fails."""
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as source,
            subprocess.Popen(
                ["age", "--encrypt", "--recipient", self._recipient],
                stdin=source.stdout,
                stdout=subprocess.PIPE,
            ) as sealed,
        ):
            cast("IO[bytes]", source.stdout).close()
            self._store.upload(key, cast("IO[bytes]", sealed.stdout))
        if source.returncode or sealed.returncode:
            self._store.delete(key)
            codes = f"{source.returncode} and {sealed.returncode}"
            raise RuntimeError(f"{command[0]} of {key}: it and its encryption ended with {codes}")


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    # Who reads may have ended already: why, its exit status says.
    with suppress(BrokenPipeError), target:
        while chunk := source.read(1 << 20):
            target.write(chunk)


def _run(command: list[str], stdin: IO[bytes]) -> None:
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: exit {done.returncode}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
