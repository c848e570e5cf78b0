#!/usr/bin/env python3
"""Tells whether this machine's database is well: ``database-health [--wait N] PART...``.

``postgresql``: it leads, or streams from whoever does. ``etcd``: its member sees a quorum.
``login``: the leader and this machine's own server let replication in as Patroni's settings say. A
standby that streams keeps its connection, and would be missed only when it has to make a new one.
Without parts, all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

SETTINGS = Path("/etc/database-health.json")
PATRONI = Path("/etc/patroni/config.yml")
ETCD = "http://127.0.0.1:2381/health"
COPYING = "creating replica"
_PAUSE = 0.5


def main() -> None:
    """Exit with 0 once all parts are well, or with what is wrong once time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait", type=float, default=0, help="seconds without progress")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all, unless named")
    told = parser.parse_args()
    deadline = time.monotonic() + told.wait
    while wrong := [w for part in told.parts or PARTS if (w := PARTS[part]())]:
        if any(COPYING in w for w in wrong):
            deadline = time.monotonic() + told.wait  # a large database takes its time
        if time.monotonic() >= deadline:
            sys.exit("\n".join(wrong))
        time.sleep(_PAUSE)


def postgresql() -> str | None:
    """Return why PostgreSQL is not well, or nothing."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=settings["authority"])
    return wrong_with_postgresql(
        answer(f"{settings['api']}/primary", context), answer(f"{settings['api']}/patroni", context)
    )


def wrong_with_postgresql(as_primary: dict[str, Any], said: dict[str, Any]) -> str | None:
    """Return what is wrong according to Patroni.

    While a cluster is being made its first machine says "primary" before it has the lock.
    """
    if "error" in said:
        return f"postgresql: Patroni does not answer: {said['error']}"
    if as_primary.get("status") == HTTPStatus.OK:
        return None
    if said.get("role") == "replica" and said.get("replication_state") == "streaming":
        return None
    told = {key: said.get(key) for key in ("role", "state", "replication_state")}
    return f"postgresql: neither leads nor streams: {told}"


def etcd() -> str | None:
    """Return why etcd is not well, or nothing."""
    said = answer(ETCD, None)
    return None if said.get("health") == "true" else f"etcd: {said}"


def login() -> str | None:
    """Return where replication can't log in, or nothing."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=settings["authority"])
    members = answer(f"{settings['api']}/cluster", context).get("members", [])
    leaders = [member["host"] for member in members if member["role"] == "leader"]
    if not leaders:
        return "login: nobody leads"
    told = yaml.safe_load(PATRONI.read_text(encoding="utf-8"))["postgresql"]
    own, port = told["connect_address"].split(":")
    account = told["authentication"]["replication"]
    for host in {*leaders, own}:
        words = {
            "host": host, "port": port, "user": account["username"], "replication": "true",
            "sslmode": account["sslmode"], "sslrootcert": account["sslrootcert"],
            "connect_timeout": "3",
        }  # fmt: skip
        done = subprocess.run(
            ["psql", "-XAtqw", "-c", "IDENTIFY_SYSTEM",
             " ".join(f"{key}={value}" for key, value in words.items())],
            env={**os.environ, "PGPASSWORD": account["password"]},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            return f"login: replication from {own} to {host}: {done.stderr.strip()}"
    return None


def answer(url: str, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return what a URL says, and its ``status``; whoever is not well has another one than 200."""
    try:
        with urllib.request.urlopen(url, timeout=3, context=context) as response:  # noqa: S310
            return {**json.load(response), "status": response.status}
    except urllib.error.HTTPError as error:
        try:
            return {**json.load(error), "status": error.code}
        except ValueError:
            return {"error": str(error)}
    except (OSError, ValueError) as error:
        return {"error": str(error)}


PARTS: dict[str, Callable[[], str | None]] = {
    "postgresql": postgresql,
    "etcd": etcd,
    "login": login,
}


if __name__ == "__main__":
    main()
