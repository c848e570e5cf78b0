#!/usr/bin/env python3
"""Brings a cluster back on this server from a snapshot: ``k3s-restore from PLACE NAME``.

PLACE is ``store`` or a folder of this machine. Afterwards this server is the only one, and who else
survived joins it by ``k3s-restore join ADDRESS``: what it knew is put aside. Who is new here or was
lost is forgotten, so that another machine may come under the old name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path("/etc/rancher/k3s")
DATABASE = Path("/var/lib/rancher/k3s/server/db")
JOINED = FOLDER / "joined"
OVERRIDE = FOLDER / "config.yaml.d/90-joining.yaml"
PATIENCE = 240
_SYSTEM = ("-n", "kube-system")


def main() -> None:
    """Do what is asked."""
    what, *more = sys.argv[1:]
    told = json.loads((FOLDER / "join.json").read_text())
    if what == "from":
        restore(told["name"], [*told["servers"]], *more)
    elif what == "join":
        join(*more)
    else:
        sys.exit("k3s-restore: expected from PLACE NAME, or join ADDRESS")


def restore(name: str, others: Sequence[str], place: str, snapshot: str) -> None:
    """Be the only server, with what the snapshot holds."""
    anew = not JOINED.exists()
    systemctl("stop", "k3s.service")
    # It says that an earlier reset was not followed by a start; this is another one.
    (DATABASE / "reset-flag").unlink(missing_ok=True)
    write(OVERRIDE, {"cluster-init": True, "server": ""})
    where = (
        [f"--cluster-reset-restore-path={snapshot}"]
        if place == "store"
        else ["--etcd-s3=false", f"--cluster-reset-restore-path={place}/{snapshot}"]
    )
    done = run("k3s", "server", "--cluster-reset", *where)
    if done.returncode:
        last = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        sys.exit(f"k3s-restore: {snapshot}:\n  {last}")
    start()
    for node in (*others, *([name] if anew else [])):
        forget(node)
    until("this server is not well", lambda: run("k3s-health").returncode == 0)
    JOINED.touch()
    OVERRIDE.unlink()


def join(address: str) -> None:
    """Join the server that was restored; what this one knew is put aside."""
    if not JOINED.exists():
        sys.exit("k3s-restore: this machine never was a server: `pulumi up` has it join")
    systemctl("stop", "k3s.service")
    if DATABASE.exists():
        DATABASE.rename(DATABASE.with_name(f"db-before-{int(time.time())}"))
    write(OVERRIDE, {"server": f"https://{address}:6443"})
    start()
    until("this server is not well", lambda: run("k3s-health").returncode == 0)
    OVERRIDE.unlink()


def start() -> None:
    """Start K3s, and say to others that this machine is a server."""
    systemctl("enable", "--now", "k3s-member.socket")
    run("systemctl", "reset-failed", "k3s.service")
    systemctl("enable", "k3s.service")
    # A node whose name another machine had is not up before that one is forgotten.
    systemctl("start", "--no-block", "k3s.service")


def forget(node: str) -> None:
    """Have Kubernetes forget who had this name: who lives says so again by itself."""
    for words in (
        ("delete", "node", node, "--ignore-not-found", "--wait=false"),
        (*_SYSTEM, "delete", "secret", f"{node}.node-password.k3s", "--ignore-not-found"),
    ):
        until(f"kubectl {' '.join(words)}", lambda words=words: kubectl(*words))  # type: ignore[misc]


def kubectl(*words: str) -> bool:
    """Ask this server."""
    config = str(FOLDER / "k3s.yaml")
    limit = "--request-timeout=10s"
    return run("k3s", "kubectl", "--kubeconfig", config, limit, *words).returncode == 0


def until(what: str, so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > deadline:
            said = run("journalctl", "-u", "k3s", "-n", "20", "-o", "cat", "--no-pager").stdout
            sys.exit(f"k3s-restore: {what} after {PATIENCE} s:\n{said}")
        time.sleep(0.5)


def write(path: Path, told: dict[str, object]) -> None:
    """Tell K3s how this start differs from all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told) + "\n")


def systemctl(*words: str) -> None:
    """Have systemd do something."""
    subprocess.run(["systemctl", *words], check=True)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
