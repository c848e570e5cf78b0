#!/usr/bin/env python3
"""Takes this machine out of the database tier, step by step: ``database-leave STEP``.

``prove``: those who stay have a quorum of etcd without this machine, and one of them can lead.
``hand-over``: if this machine leads, another does after it. ``remove``: etcd forgets this member.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/database-leave.json")
PATRONI = "/etc/patroni/config.yml"
TLS = "/etc/etcd/tls"
PATIENCE = 60
_FIT = ("streaming", "running")


def main() -> None:
    """Do one step."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    {"prove": prove, "hand-over": hand_over, "remove": remove}[sys.argv[1]](settings)


def prove(settings: dict[str, Any]) -> None:
    """Exit with what would be missing without this machine."""
    urls = {name: settings["client_urls"][name] for name in settings["others"]}
    healthy = {name for name, url in urls.items() if ok(url, "endpoint", "health")}
    voters = {name for name, (_, learner) in members(settings).items() if not learner}
    wrong = without(settings["name"], voters, healthy, cluster_of(settings))
    if wrong:
        sys.exit("database-leave: this machine must stay:\n  " + "\n  ".join(wrong))


def without(
    me: str, voters: set[str], healthy: set[str], cluster: dict[str, dict[str, Any]]
) -> list[str]:
    """Return what would be missing without this machine."""
    staying = voters - {me}
    needed = len(staying) // 2 + 1
    there = sorted(healthy & staying)
    wrong = []
    if len(there) < needed:
        wrong.append(f"etcd: {needed} healthy members needed, there are {len(there)}: {there}")
    if not any(name != me and member["state"] in _FIT for name, member in cluster.items()):
        wrong.append("PostgreSQL: no other member streams or leads")
    return wrong


def hand_over(settings: dict[str, Any]) -> None:
    """Have another lead, the one with the highest priority of those that stream."""
    me = settings["name"]
    cluster = cluster_of(settings)
    if cluster.get(me, {}).get("role") != "Leader":
        return
    fit = [m for name, m in cluster.items() if name != me and m["state"] == "streaming"]
    # Only one that has all that was acknowledged may take over.
    synchronous = [m for m in fit if "Standby" in m["role"] and m["role"] != "Standby Leader"]
    candidate = max(synchronous or fit, key=lambda m: int(m["tags"].get("failover_priority", 1)))
    patronictl(
        "switchover", settings["cluster"], "--leader", me,
        "--candidate", candidate["Member"], "--force",
    )  # fmt: skip
    name = candidate["Member"]
    wait(
        f"{name} does not lead",
        lambda: cluster_of(settings).get(name, {}).get("role") == "Leader",
    )


def remove(settings: dict[str, Any]) -> None:
    """Have those who stay forget this member; Patroni does by itself, when its lease has ended."""
    wait("Patroni still knows this machine", lambda: settings["name"] not in cluster_of(settings))
    known = members(settings)
    if settings["name"] not in known:
        return
    number, _ = known[settings["name"]]
    done = etcdctl(staying(settings), "member", "remove", number)
    if done.returncode:
        sys.exit(f"database-leave: {done.stderr.strip()}")


def wait(otherwise: str, true: Callable[[], bool]) -> None:
    """Return when something is true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            sys.exit(f"database-leave: {otherwise} after {PATIENCE} s")
        time.sleep(0.5)


def members(settings: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return the id of each member of etcd, and whether it is a learner."""
    names = {url: name for name, url in settings["peer_urls"].items()}
    done = etcdctl(staying(settings), "member", "list")
    if done.returncode:
        sys.exit(f"database-leave: those who stay do not answer: {done.stderr.strip()}")
    found = {}
    for line in done.stdout.splitlines():
        number, _, _, url, _, learner = line.split(", ")
        found[names.get(url, url)] = (number, learner == "true")
    return found


def staying(settings: dict[str, Any]) -> str:
    """Return where those who stay answer."""
    return ",".join(settings["client_urls"][name] for name in settings["others"])


def cluster_of(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the members of PostgreSQL's cluster by name, as Patroni knows them."""
    said = json.loads(patronictl("list", settings["cluster"], "--format", "json"))
    return {
        member["Member"]: {
            "tags": {},
            **{key.lower(): value for key, value in member.items()},
            "Member": member["Member"],
        }
        for member in said
    }


def patronictl(*words: str) -> str:
    """Ask Patroni."""
    done = subprocess.run(
        ["patronictl", "-c", PATRONI, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"database-leave: patronictl {words[0]}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def ok(url: str, *words: str) -> bool:
    """Tell whether a member answers well."""
    return etcdctl(url, *words).returncode == 0


def etcdctl(where: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask etcd."""
    return subprocess.run(
        ["etcdctl", f"--endpoints={where}", "--command-timeout=5s", f"--cacert={TLS}/ca.pem",
         f"--cert={TLS}/certificate.pem", f"--key={TLS}/key.pem", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
