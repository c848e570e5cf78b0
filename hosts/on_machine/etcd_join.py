#!/usr/bin/env python3
"""Makes this machine a member of its etcd cluster: ``etcd-join SETTINGS.json [SECONDS]``.

It joins those who answer. If nobody does, the founder founds the cluster, but only if each other
machine refuses by itself where a member would listen, and where one listens that ever was a member:
one that is silent, or whose etcd is merely stopped, may hold all that the cluster knew.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120
_PAUSE = 0.5
_CLIENT_PORT, _MARK_PORT = 2379, 2382


@dataclass(frozen=True)
class Settings:
    """Who this machine is, and who the others are."""

    name: str
    founder: str
    cluster: str
    data: str
    initial: str
    joined: str
    peer_urls: dict[str, str]
    client_urls: dict[str, str]
    addresses: dict[str, str]
    tls: str

    @property
    def others(self) -> list[str]:
        """Return the names of all other members."""
        return [name for name in self.peer_urls if name != self.name]

    @property
    def founding(self) -> str:
        """Return what a founder's first start has to know: it is alone until others join it."""
        return (
            f'ETCD_INITIAL_CLUSTER="{self.name}={self.peer_urls[self.name]}"\n'
            'ETCD_INITIAL_CLUSTER_STATE="new"\n'
            f'ETCD_INITIAL_CLUSTER_TOKEN="{self.cluster}"\n'
        )


def main() -> None:
    """Become a member, and write down that it is done."""
    settings = Settings(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    patience = float(sys.argv[2]) if len(sys.argv) > 2 else PATIENCE  # noqa: PLR2004
    deadline = time.monotonic() + patience
    become_member(settings, deadline)
    Path(settings.joined).touch()


def become_member(settings: Settings, deadline: float) -> None:
    """Go on where an interrupted run has ended, or join or found."""
    if Path(settings.data, "member").exists():
        start()
        return promote(settings, deadline)
    while True:
        if where := living(settings):
            return join(settings, where, deadline)
        if settings.name == settings.founder:
            doubts = [doubt for name in settings.others if (doubt := doubt_about(settings, name))]
            if not doubts:
                return found(settings)
        else:
            doubts = ["no member answers, and only the founder may found a cluster"]
        if time.monotonic() > deadline:
            sys.exit("etcd-join: neither joined nor founded:\n  " + "\n  ".join(doubts))
        time.sleep(_PAUSE)


def living(settings: Settings) -> str | None:
    """Return the client URL of a member whose cluster has a quorum."""
    for name in settings.others:
        url = settings.client_urls[name]
        if etcdctl(settings, url, "endpoint", "health").returncode == 0:
            return url
    return None


def doubt_about(settings: Settings, name: str) -> str | None:
    """Return why another machine may hold a member, or nothing if it provably never was one."""
    address = settings.addresses[name]
    for port, meaning in (
        (_CLIENT_PORT, "has a member, but its cluster has no quorum"),
        (_MARK_PORT, "has been a member; start its etcd"),
    ):
        try:
            socket.create_connection((address, port), timeout=2).close()
        except ConnectionRefusedError:
            continue
        except OSError as error:
            return f"{name} ({address}) is silent, it may hold a living cluster: {error}"
        return f"{name} ({address}) {meaning}"
    return None


def found(settings: Settings) -> None:
    """Start as the first member."""
    Path(settings.initial).write_text(settings.founding, encoding="utf-8")
    start()


def join(settings: Settings, where: str, deadline: float) -> None:
    """Take the place of whoever had this machine's address, as a learner; then become a voter."""
    own_url = settings.peer_urls[settings.name]
    while ghost := member(settings, where, own_url):
        asked(settings, where, deadline, "member", "remove", ghost)
    words = ("member", "add", settings.name, "--learner", f"--peer-urls={own_url}")
    said = asked(settings, where, deadline, *words)
    known = [line for line in said.splitlines() if line.startswith("ETCD_INITIAL_CLUSTER")]
    Path(settings.initial).write_text("\n".join(known) + "\n", encoding="utf-8")
    start()
    promote(settings, deadline)


def promote(settings: Settings, deadline: float) -> None:
    """Become a voter, as soon as this member has all that the others have."""
    if not (where := living(settings)):
        return  # it is alone: whoever founds is a voter
    own_url = settings.peer_urls[settings.name]
    while me := member(settings, where, own_url, learner=True):
        asked(settings, where, deadline, "member", "promote", me)


def member(
    settings: Settings, where: str, peer_url: str, *, learner: bool | None = None
) -> str | None:
    """Return the id of the member at a peer URL, if it is (or is not) a learner."""
    done = etcdctl(settings, where, "member", "list")
    for line in done.stdout.splitlines():
        number, _, _, urls, _, learns = line.split(", ")
        if urls == peer_url and learner in (None, learns == "true"):
            return number
    return None


def asked(settings: Settings, where: str, deadline: float, *words: str) -> str:
    """Have the cluster do something, as soon as it is ready to."""
    while (done := etcdctl(settings, where, *words)).returncode:
        if time.monotonic() > deadline:
            sys.exit(f"etcd-join: {' '.join(words)}: {done.stderr.strip()}")
        time.sleep(_PAUSE)
    return done.stdout


def etcdctl(settings: Settings, where: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask a member."""
    tls = settings.tls
    return subprocess.run(
        ["etcdctl", f"--endpoints={where}", "--command-timeout=3s", f"--cacert={tls}/ca.pem",
         f"--cert={tls}/certificate.pem", f"--key={tls}/key.pem", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def start() -> None:
    """Start etcd; it is up when it has found its place."""
    subprocess.run(["systemctl", "start", "etcd.service"], check=True)


if __name__ == "__main__":
    main()
