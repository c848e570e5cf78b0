#!/usr/bin/env python3
"""Hands over from this machine, which leads: ``database-switchover CANDIDATE``; or ``best``.

What runs may finish; then the pooler stops, so that every client knows at once that it has to
connect again, and finds the new leader behind the address. A client that were held instead would
wait for an answer that can't come any more: the address moves away under its connection. The
pooler runs again in any case: systemd sees to it (``ExecStopPost``) even if this program is killed.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/database-health.json")
TLS = Path("/etc/patroni/tls")
POOLER = ("psql", "-XAtq", "-h", "/run/postgresql", "-p", "6432", "-U", "pgbouncer", "pgbouncer")
DRAIN_SECONDS = 5
PATIENCE = 40
# Only who has all that was acknowledged is called so.
SYNCHRONOUS = ("sync_standby", "quorum_standby")


def main() -> None:
    """Drain, and hand over."""
    me = socket.gethostname()
    patroni = Patroni()
    candidate = chosen(me, sys.argv[1], patroni.ask("cluster")["members"])
    drain()
    patroni.ask("switchover", {"leader": me, "candidate": candidate})


def chosen(me: str, wish: str, cluster: list[dict[str, Any]]) -> str:
    """Return who takes over, or exit with why nobody may."""
    if not any(m["name"] == me and m["role"] == "leader" for m in cluster):
        sys.exit(f"database-switchover: {me} does not lead, there is nothing to hand over")
    fit = [m for m in cluster if m["state"] == "streaming" and m["role"] in SYNCHRONOUS]
    if wish != "best":
        fit = [m for m in fit if m["name"] == wish]
    if not fit:
        told = {m["name"]: f"{m['role']}, {m['state']}" for m in cluster}
        sys.exit(f"database-switchover: {wish}: no synchronous standby; there are {told}")
    return str(max(fit, key=lambda m: int(m.get("tags", {}).get("failover_priority", 1)))["name"])


def drain() -> None:
    """Let all transactions finish, and take no more."""
    command = ["runuser", "-u", "postgres", "--", *POOLER, "-c", "PAUSE"]
    # Who takes longer is not waited for: its transaction is rolled back.
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, check=True, timeout=DRAIN_SECONDS)
    subprocess.run(["systemctl", "stop", "pgbouncer.service"], check=True)


class Patroni:
    """This machine's Patroni; a new process for each question would cost the clients a second."""

    def __init__(self) -> None:
        settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
        self._api = settings["api"]
        self._context = ssl.create_default_context(cafile=settings["authority"])
        self._context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")

    def ask(self, what: str, told: dict[str, str] | None = None) -> dict[str, Any]:
        """Return what it answers once it is done, or exit with why it is not."""
        data = json.dumps(told).encode() if told else None
        request = urllib.request.Request(f"{self._api}/{what}", data)  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(  # noqa: S310 - our own
                request, timeout=PATIENCE, context=self._context
            ) as answer:
                said = answer.read().decode()
        except urllib.error.HTTPError as error:
            sys.exit(f"database-switchover: {what}: {error.code}: {error.read().decode()}")
        return {"said": said} if told else dict(json.loads(said))


if __name__ == "__main__":
    main()
