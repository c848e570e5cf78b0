#!/usr/bin/env python3
"""Makes this machine a node of its cluster: ``k3s-join SETTINGS.json [--founded]``.

It joins those who live. If nobody does, the founder founds the cluster, but only if it never was
founded as far as the state knows (``--founded``), and every other server says by itself that it
never was one: who was, or is silent, may hold a cluster that can be brought back, and a second one
beside it would be its end. Servers that were all lost at once look as if there never was one.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PATIENCE = 120
STARTS_WITHIN = 300
_PAUSE = 0.5
_RESTORE = (
    "the cluster was founded once, as the state says, and no server lives: bring one back, or "
    "restore a snapshot (python -m ops.cluster STACK restore)"
)


class Seen(Enum):
    """What another server shows of itself."""

    LIVES = "it serves the cluster"
    WAS = "it is or was a server of a cluster, but does not serve it now"
    NEVER = "it says that it never was a server"
    SILENT = "it is silent: it may hold a living cluster"


@dataclass(frozen=True)
class Decision:
    """What to do: ``resume``, ``join`` (whom), ``found``, or to wait because of doubts."""

    what: str
    whom: str = ""
    doubts: tuple[str, ...] = ()


def decide(
    name: str,
    founder: str,
    *,
    server: bool,
    has_data: bool,
    founded: bool,
    others: Mapping[str, Seen],
) -> Decision:
    """Decide by what is known; whenever in doubt, nothing is founded."""
    if has_data:
        return Decision("resume")
    living = sorted(other for other, seen in others.items() if seen is Seen.LIVES)
    if living:
        return Decision("join", living[0])
    doubts = [f"{o}: {seen.value}" for o, seen in sorted(others.items()) if seen is not Seen.NEVER]
    if not server:
        doubts.append("no server answers, and an agent founds nothing")
    elif name != founder:
        doubts.append(f"no server answers, and only {founder} may found a cluster")
    elif founded:
        doubts.append(_RESTORE)
    if doubts:
        return Decision("wait", doubts=tuple(doubts))
    return Decision("found")


@dataclass(frozen=True)
class Settings:
    """Who this machine is, and who the servers are."""

    name: str
    address: str
    server: bool
    founder: str
    servers: dict[str, str]
    """Without this one."""
    api_port: int
    member_port: int
    unit: str
    authority: str
    token: str
    kubeconfig: str
    override: str
    datastore: str
    joined: str


def main() -> None:
    """Become a node, and write down that it is done."""
    place, *more = sys.argv[1:]
    settings = Settings(**json.loads(Path(place).read_text(encoding="utf-8")))
    become_node(settings, time.monotonic() + PATIENCE, founded=more == ["--founded"])
    Path(settings.override).unlink(missing_ok=True)
    written(Path(settings.joined), "")
    os.sync()


def become_node(settings: Settings, deadline: float, *, founded: bool) -> None:
    """Go on where an interrupted run has ended, or join, or found."""
    while True:
        decision = decide(
            settings.name,
            settings.founder,
            server=settings.server,
            has_data=settings.server and Path(settings.datastore).exists(),
            founded=founded,
            others={name: seen(settings, ip) for name, ip in settings.servers.items()},
        )
        if decision.what != "wait":
            break
        if time.monotonic() > deadline:
            told = "\n  ".join(decision.doubts)
            sys.exit(f"k3s-join: {settings.name} neither joined nor founded:\n  {told}")
        time.sleep(_PAUSE)
    sys.stdout.write(f"k3s-join: {settings.name}: {decision.what} {decision.whom}\n")
    if decision.what == "join":
        url = f"https://{settings.servers[decision.whom]}:{settings.api_port}"
        lay_ghost(settings, url, deadline)
        override(settings, {"server": url})
    elif decision.what == "found":
        override(settings, {"cluster-init": True, "server": ""})
    if settings.server:
        subprocess.run(["systemctl", "enable", "--now", "k3s-member.socket"], check=True)
    start(settings.unit)


def seen(settings: Settings, ip: str) -> Seen:
    """Look at another server."""
    if serves(settings, ip):
        return Seen.LIVES
    try:
        socket.create_connection((ip, settings.member_port), timeout=2).close()
    except ConnectionRefusedError:
        return Seen.WAS if listens(ip, settings.api_port) else Seen.NEVER
    except OSError:
        return Seen.SILENT
    return Seen.WAS


def listens(ip: str, port: int) -> bool:
    """Tell whether anybody listens; silence counts as somebody."""
    try:
        socket.create_connection((ip, port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def serves(settings: Settings, ip: str) -> bool:
    """Tell whether a server of this very cluster, by its authority, would let this node in."""
    path = "server-bootstrap" if settings.server else "client-ca.crt"
    return get(settings, ip, f"/v1-k3s/{path}") is not None


def get(settings: Settings, ip: str, path: str) -> bytes | None:
    """Return what a server answers to who has the token."""
    user, secret = "server" if settings.server else "node", Path(settings.token).read_text()
    shown = base64.b64encode(f"{user}:{secret.strip().rpartition(':')[2]}".encode()).decode()
    trusted = ssl.create_default_context(cafile=settings.authority)
    asked = http.client.HTTPSConnection(ip, settings.api_port, timeout=4, context=trusted)
    try:
        asked.request("GET", path, headers={"Authorization": f"Basic {shown}"})
        answer = asked.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        asked.close()
    return body if answer.status == http.client.OK else None


def lay_ghost(settings: Settings, url: str, deadline: float) -> None:
    """Have the cluster forget who had this name: another machine, since this one has no data."""
    where = ("--kubeconfig", settings.kubeconfig, "--server", url, "--request-timeout=10s")
    for words in (
        ("delete", "node", settings.name, "--ignore-not-found"),
        ("-n", "kube-system", "delete", "secret", f"{settings.name}.node-password.k3s",
         "--ignore-not-found"),
    ):  # fmt: skip
        while (done := run("k3s", "kubectl", *where, *words)).returncode:
            if time.monotonic() > deadline:
                sys.exit(f"k3s-join: {' '.join(words)}: {done.stderr.strip()}")
            time.sleep(_PAUSE)
    if settings.server:
        no_member(settings, url.removeprefix("https://").rpartition(":")[0], deadline)


def no_member(settings: Settings, ip: str, deadline: float) -> None:
    """Return when etcd has no member at this address any more: servers remove a deleted node's."""
    own = f"//{settings.address}:".encode()
    while (members := get(settings, ip, "/db/info")) is None or own in members:
        if time.monotonic() > deadline:
            sys.exit(f"k3s-join: etcd still has a member at {settings.address}")
        time.sleep(_PAUSE)


def override(settings: Settings, told: Mapping[str, object]) -> None:
    """Tell K3s how this first start differs from all others."""
    written(Path(settings.override), json.dumps(told) + "\n")


def written(path: Path, text: str) -> None:
    """Write a file that a power cut leaves whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def start(unit: str) -> None:
    """Start K3s; it is up when it has found its place."""
    run("systemctl", "reset-failed", unit)
    subprocess.run(["systemctl", "start", "--no-block", unit], check=True)
    deadline = time.monotonic() + STARTS_WITHIN
    while run("systemctl", "is-active", "--quiet", unit).returncode:
        if time.monotonic() > deadline:
            said = run("journalctl", "-u", unit, "-n", "40", "-o", "cat", "--no-pager").stdout
            sys.exit(f"k3s-join: {unit} is not up after {STARTS_WITHIN} s:\n{said}")
        time.sleep(_PAUSE)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
