#!/usr/bin/env python3
"""Takes this node from one version of K3s to the next: ``k3s-upgrade STEP SETTINGS.json``.

``begin``: the step is one that K3s takes and all others are well; what etcd holds is saved before
the first node, and the pods are elsewhere. ``finish``: the node runs the new version and takes pods
again. What was begun is written down, so that a run that was cut off can be finished by another.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_WITHIN = 240
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:\+k3s(\d+))?")
_KUBELET_BEHIND = 3
"""How many minors a kubelet may be older than the API."""


@dataclass(frozen=True)
class Settings:
    """Who this node is, and what it is to become."""

    name: str
    server: bool
    version: str
    snapshot: str
    """What the snapshot before the upgrade is called."""
    servers: dict[str, str]
    """All of them, by name."""
    kubeconfig: str
    api_port: int
    drain_seconds: int
    marker: str


@dataclass(frozen=True)
class Node:
    """A node as the cluster sees it."""

    name: str
    version: str
    server: bool
    ready: bool
    takes_pods: bool

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Node:
        """Read what the API says of a node."""
        conditions = {c["type"]: c["status"] for c in item["status"].get("conditions", ())}
        return cls(
            name=item["metadata"]["name"],
            version=item["status"]["nodeInfo"]["kubeletVersion"],
            server="node-role.kubernetes.io/control-plane" in item["metadata"].get("labels", {}),
            ready=conditions.get("Ready") == "True",
            takes_pods=not item["spec"].get("unschedulable", False),
        )


def numbers(version: str) -> tuple[int, ...]:
    """Return what versions are compared by."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version}: expected vX.Y.Z+k3sN")
    return tuple(int(number or 0) for number in found.groups())


def refusal(have: str, wanted: str) -> str | None:
    """Return why K3s does not go from one version to another in one step, if it does not."""
    # Kubernetes alone names no build of K3s.
    size = 4 if "+" in have else 3
    old, new = numbers(have)[:size], numbers(wanted)[:size]
    if new < old:
        return (
            f"{have} -> {wanted} is a downgrade: what etcd holds may be newer than that knows; "
            "to go back, restore a snapshot that was made before the upgrade"
        )
    if new[0] != old[0] or new[1] > old[1] + 1:
        steps = " -> ".join(f"v{old[0]}.{minor}" for minor in range(old[1], new[1] + 1))
        return f"{have} -> {wanted} skips a minor: go {steps}, one after the other"
    return None


def doubts(settings: Settings, nodes: Sequence[Node], answering: Sequence[str]) -> list[str]:
    """Return why this node must not be touched now."""
    told = []
    for node in nodes:
        me = node.name == settings.name
        if (node.server or me) and (why := refusal(node.version, settings.version)):
            told.append(f"{node.name}: {why}")
        elif not me and numbers(settings.version)[1] - numbers(node.version)[1] > _KUBELET_BEHIND:
            told.append(f"{node.name}: {node.version} is too old for an API of {settings.version}")
        if not me and not node.ready:
            told.append(f"{node.name}: is not ready")
        if node.server and not settings.server and not runs(node, settings.version):
            told.append(f"{node.name}: runs {node.version}; servers go before agents")
    silent = sorted({*settings.servers} - {*answering} - {settings.name})
    return [*told, *(f"{name}: its API is not ready" for name in silent)]


def runs(node: Node, version: str) -> bool:
    """Tell whether a node runs a version."""
    return node.version in (version, version.partition("+")[0])


def main() -> None:
    """Do one step."""
    step, place = sys.argv[1:]
    settings = Settings(**json.loads(Path(place).read_text(encoding="utf-8")))
    {"begin": begin, "finish": finish}[step](settings)


def begin(settings: Settings) -> None:
    """Have this node empty, if it may be upgraded now."""
    nodes = seen(settings)
    answering = [name for name in settings.servers if serves(settings, name)]
    if faults := doubts(settings, nodes, answering):
        stop(f"{settings.name} is not upgraded to {settings.version}:\n  " + "\n  ".join(faults))
    if settings.server and not any(runs(node, settings.version) for node in nodes):
        save(settings)
    me = next((node for node in nodes if node.name == settings.name), None)
    elsewhere = [n for n in nodes if n.name != settings.name and n.ready and n.takes_pods]
    mine = me is not None and me.takes_pods
    marker = Path(settings.marker)
    if not marker.exists():
        # A node that a person has cordoned stays so.
        write(marker, json.dumps({"uncordon": mine}))
    if me is not None and elsewhere:
        drain(settings, uncordon=mine)


def save(settings: Settings) -> None:
    """Keep on this machine's disk what etcd holds; the copies in the object store are others."""
    done = run("k3s", "etcd-snapshot", "save", "--etcd-s3=false", "--name", settings.snapshot)
    if done.returncode:
        stop(f"no snapshot, so no upgrade: {(done.stderr or done.stdout).strip()}")


def drain(settings: Settings, *, uncordon: bool) -> None:
    """Have the pods elsewhere, as their budgets allow; if not in time, all is as it was."""
    asked(settings, "cordon", settings.name)
    done = kubectl(
        settings, "drain", settings.name, "--ignore-daemonsets", "--delete-emptydir-data",
        f"--timeout={settings.drain_seconds}s",
    )  # fmt: skip
    if done.returncode:
        if uncordon:
            asked(settings, "uncordon", settings.name)
        Path(settings.marker).unlink(missing_ok=True)
        why = "\n  ".join(done.stderr.strip().splitlines()[-8:])
        stop(f"{settings.name} takes pods again, its own could not leave:\n  {why}")


def finish(settings: Settings) -> None:
    """Wait until the node runs what it is to run, and let pods come."""
    deadline = time.monotonic() + READY_WITHIN
    while not (found := arrived(settings))[0]:
        if time.monotonic() > deadline:
            stop(f"{settings.name}: {found[1]} after {READY_WITHIN} s; it stays cordoned")
        time.sleep(0.5)
    marker = Path(settings.marker)
    if json.loads(marker.read_text(encoding="utf-8"))["uncordon"]:
        asked(settings, "uncordon", settings.name)
    marker.unlink()


def arrived(settings: Settings) -> tuple[bool, str]:
    """Tell whether the node is ready in its new version, or how it is."""
    done = kubectl(settings, "get", "node", settings.name, "-o", "json")
    if done.returncode:
        return False, done.stderr.strip() or "no server answers"
    node = Node.of(json.loads(done.stdout))
    state = f"{'ready' if node.ready else 'not ready'} with {node.version}"
    return node.ready and runs(node, settings.version), state


def seen(settings: Settings) -> list[Node]:
    """Return all nodes."""
    said = json.loads(asked(settings, "get", "nodes", "-o", "json"))
    return [Node.of(item) for item in said["items"]]


def asked(settings: Settings, *words: str) -> str:
    """Have Kubernetes do something."""
    done = kubectl(settings, *words)
    if done.returncode:
        stop(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def kubectl(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask a server that answers, another one first: this one's may be about to be restarted."""
    for name in sorted(settings.servers, key=lambda name: name == settings.name):
        if serves(settings, name):
            return run("k3s", "kubectl", *via(settings, name), *words)
    return subprocess.CompletedProcess(words, 1, "", "no server answers")


def serves(settings: Settings, name: str) -> bool:
    """Tell whether a server's API, with its etcd, is ready."""
    words = ("--request-timeout=5s", "get", "--raw", "/readyz")
    return run("k3s", "kubectl", *via(settings, name), *words).returncode == 0


def via(settings: Settings, name: str) -> tuple[str, ...]:
    """Return the words by which kubectl asks one server."""
    url = f"https://{settings.servers[name]}:{settings.api_port}"
    return ("--kubeconfig", settings.kubeconfig, "--server", url)


def write(path: Path, text: str) -> None:
    """Write a file that a power cut leaves whole."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


def stop(why: str) -> None:
    """End with a reason."""
    sys.exit(f"k3s-upgrade: {why}")


if __name__ == "__main__":
    main()
