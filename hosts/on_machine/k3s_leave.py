#!/usr/bin/env python3
"""Takes this machine out of its cluster, step by step: ``k3s-leave STEP SETTINGS.json``.

``prove``: those who stay have a quorum without this machine. ``drain``: its pods are elsewhere, as
their disruption budgets allow. ``remove``: neither etcd nor Kubernetes knows it any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60
K3S_TAKES = 30
_TLS = "/var/lib/rancher/k3s/server/tls/etcd"


@dataclass(frozen=True)
class Settings:
    """Who this machine is, and who stays."""

    name: str
    address: str
    server: bool
    staying: dict[str, str]
    """Servers that stay, by name."""
    kubeconfig: str
    api_port: int
    drain_seconds: int


@dataclass(frozen=True)
class Member:
    """A member of etcd."""

    number: str
    address: str
    voter: bool


def main() -> None:
    """Do one step."""
    step, place = sys.argv[1:]
    settings = Settings(**json.loads(Path(place).read_text(encoding="utf-8")))
    {"prove": prove, "drain": drain, "remove": remove}[step](settings)


def prove(settings: Settings) -> None:
    """Exit with what would be missing without this machine."""
    faults = without(
        settings.address,
        members(settings) if settings.server else [],
        {ip for ip in settings.staying.values() if healthy(ip)} if settings.server else set(),
        {name for name in settings.staying if serves(settings, name)},
        server=settings.server,
    )
    if faults:
        told = "\n  ".join(faults)
        sys.exit(f"k3s-leave: {settings.name} must stay:\n  {told}")


def without(
    me: str, known: list[Member], well: set[str], serving: set[str], *, server: bool
) -> list[str]:
    """Return what would be missing without a machine."""
    faults = []
    if server:
        staying = {member.address for member in known if member.voter} - {me}
        needed = len(staying) // 2 + 1
        there = sorted(well & staying)
        if len(there) < needed:
            faults.append(f"etcd: {needed} healthy members needed, there are {len(there)}: {there}")
    if not serving:
        faults.append("Kubernetes: no server that stays answers")
    return faults


def drain(settings: Settings) -> None:
    """Have the pods elsewhere; if that can't be had in time, all is as it was."""
    if settings.name not in nodes(settings):
        return
    asked(settings, "cordon", settings.name)
    done = kubectl(
        settings, "drain", settings.name, "--ignore-daemonsets", "--delete-emptydir-data",
        f"--timeout={settings.drain_seconds}s",
    )  # fmt: skip
    if done.returncode:
        asked(settings, "uncordon", settings.name)
        why = "\n  ".join(done.stderr.strip().splitlines()[-8:])
        sys.exit(f"k3s-leave: {settings.name} takes pods again, its own could not leave:\n  {why}")


def remove(settings: Settings) -> None:
    """Have those who stay forget this machine."""
    asked(settings, "delete", "node", settings.name, "--ignore-not-found")
    secret = f"{settings.name}.node-password.k3s"
    asked(settings, "-n", "kube-system", "delete", "secret", secret, "--ignore-not-found")
    if settings.server and not becomes(lambda: not own(settings), K3S_TAKES):
        # K3s removes the member of a node that was deleted; if it does not, we do.
        for member in own(settings):
            etcdctl(settings, "member", "remove", member.number)
        if not becomes(lambda: not own(settings), PATIENCE):
            sys.exit(f"k3s-leave: etcd still has {settings.address} as a member")


def own(settings: Settings) -> list[Member]:
    """Return this machine's members of etcd."""
    return [member for member in members(settings) if member.address == settings.address]


def becomes(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true; tell whether it became so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def members(settings: Settings) -> list[Member]:
    """Return the members of etcd, as those who stay know them."""
    told = []
    for line in etcdctl(settings, "member", "list").splitlines():
        number, _, _, peers, _, learner = line.split(", ")
        address = peers.removeprefix("https://").rpartition(":")[0]
        told.append(Member(number, address, learner == "false"))
    return told


def healthy(ip: str) -> bool:
    """Tell whether a member works, and sees a quorum."""
    return etcd([ip], "endpoint", "health").returncode == 0


def etcdctl(settings: Settings, *words: str) -> str:
    """Ask those who stay, one after the other, until one answers."""
    said = []
    for ip in settings.staying.values():
        done = etcd([ip], *words)
        if done.returncode == 0:
            return done.stdout
        said.append(f"{ip}: {(done.stderr.strip().splitlines() or ['silent'])[-1]}")
    told = "\n  ".join(said or ["no server stays"])
    return sys.exit(f"k3s-leave: etcd: {' '.join(words)}:\n  {told}")


def etcd(ips: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Ask members of etcd."""
    endpoints = ",".join(f"https://{ip}:2379" for ip in ips)
    return run(
        "etcdctl", f"--endpoints={endpoints}", "--command-timeout=5s", "--dial-timeout=3s",
        f"--cacert={_TLS}/server-ca.crt", f"--cert={_TLS}/client.crt", f"--key={_TLS}/client.key",
        *words,
    )  # fmt: skip


def nodes(settings: Settings) -> list[str]:
    """Return the nodes' names."""
    return [
        line.partition("/")[2] for line in asked(settings, "get", "nodes", "-o", "name").split()
    ]


def asked(settings: Settings, *words: str) -> str:
    """Have Kubernetes do something."""
    done = kubectl(settings, *words)
    if done.returncode:
        sys.exit(f"k3s-leave: {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def kubectl(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask a server that stays and answers."""
    for name in settings.staying:
        if serves(settings, name):
            return run("k3s", "kubectl", *via(settings, name), *words)
    return sys.exit("k3s-leave: no server that stays answers")


def serves(settings: Settings, name: str) -> bool:
    """Tell whether a server's API is ready."""
    words = ("--request-timeout=5s", "get", "--raw", "/readyz")
    return run("k3s", "kubectl", *via(settings, name), *words).returncode == 0


def via(settings: Settings, name: str) -> tuple[str, ...]:
    """Return the words by which kubectl asks one server."""
    url = f"https://{settings.staying[name]}:{settings.api_port}"
    return ("--kubeconfig", settings.kubeconfig, "--server", url)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
