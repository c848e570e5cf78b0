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
import subprocess
import sys
import time
from contextlib import suppress

PATRONI = "/etc/patroni/config.yml"
POOLER = ("psql", "-XAtq", "-h", "/run/postgresql", "-p", "6432", "-U", "pgbouncer", "pgbouncer")
DRAIN_SECONDS = 5
PATIENCE = 30


def main() -> None:
    """Pause, hand over, and wait until the other leads."""
    me = socket.gethostname()
    cluster = members()
    candidate = chosen(me, sys.argv[1], cluster)
    drain()
    patronictl("switchover", "--leader", me, "--candidate", candidate, "--force")
    wait_for(candidate)


def chosen(me: str, wish: str, cluster: list[dict[str, object]]) -> str:
    """Return who takes over, or exit with why nobody may."""
    if not any(m["Member"] == me and m["Role"] == "Leader" for m in cluster):
        sys.exit(f"database-switchover: {me} does not lead, there is nothing to hand over")
    fit = [
        m
        for m in cluster
        # Only who has all that was acknowledged is called so.
        if m["State"] == "streaming" and m["Role"] in ("Sync Standby", "Quorum Standby")
    ]
    if wish != "best":
        fit = [m for m in fit if m["Member"] == wish]
    if not fit:
        told = {m["Member"]: f"{m['Role']}, {m['State']}" for m in cluster}
        sys.exit(f"database-switchover: {wish}: no synchronous standby; there are {told}")
    return str(max(fit, key=_priority)["Member"])


def _priority(member: dict[str, object]) -> int:
    tags = member.get("Tags")
    return int(tags.get("failover_priority", 1)) if isinstance(tags, dict) else 1


def wait_for(candidate: str) -> None:
    """Return when a member leads."""
    deadline = time.monotonic() + PATIENCE
    while not any(m["Member"] == candidate and m["Role"] == "Leader" for m in members()):
        if time.monotonic() > deadline:
            sys.exit(f"database-switchover: {candidate} does not lead after {PATIENCE} s")
        time.sleep(0.2)


def members() -> list[dict[str, object]]:
    """Return the cluster as Patroni knows it."""
    return list(json.loads(patronictl("list", "--format", "json")))


def drain() -> None:
    """Let all transactions finish, and take no more."""
    command = ["runuser", "-u", "postgres", "--", *POOLER, "-c", "PAUSE"]
    # Who takes longer is not waited for: its transaction is rolled back.
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, check=True, timeout=DRAIN_SECONDS)
    subprocess.run(["systemctl", "stop", "pgbouncer.service"], check=True)


def patronictl(*words: str) -> str:
    """Ask Patroni."""
    done = subprocess.run(
        ["patronictl", "-c", PATRONI, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"database-switchover: {words[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
