#!/usr/bin/env python3
"""Knows the snapshots of etcd: ``k3s-snapshots list`` or ``k3s-snapshots keep HOURS``.

``list`` says, as JSON, which there are on this machine and in the object store; it needs no cluster
that lives. ``keep`` takes one unless a young one of this server is in the store, and fails if it
did not arrive there.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = Path("/etc/rancher/k3s")
LOCAL = Path("/var/lib/rancher/k3s/server/db/snapshots")
GRACE_SECONDS = 15 * 60
"""How long after it is due a snapshot may arrive by itself."""
_NAME = re.compile(r"(?P<label>.+)-(?P<seconds>\d{9,11})(?:\.zip)?")


@dataclass(frozen=True)
class Snapshot:
    """One snapshot."""

    name: str
    place: str
    """``store``, or the folder on this machine."""
    seconds: int
    """When it was taken, since 1970."""

    @classmethod
    def named(cls, name: str, place: str) -> Snapshot | None:
        """Read a name as K3s gives it: the label, the node, the time."""
        found = _NAME.fullmatch(name)
        return cls(name, place, int(found["seconds"])) if found else None


def generation(token: str) -> str:
    """Return what snapshots are called that this token opens; it tells nothing of the token."""
    return "token-" + hashlib.sha256(token.strip().encode()).hexdigest()[:8]


def main() -> None:
    """Do what is asked."""
    what, *more = sys.argv[1:]
    told = settings()
    if what == "list":
        found = [*local(), *(stored(told) if told else [])]
        sys.stdout.write(json.dumps([asdict(snapshot) for snapshot in found]) + "\n")
    elif what == "keep":
        keep(told, float(more[0]) * 3600 + GRACE_SECONDS)
    else:
        sys.exit("k3s-snapshots: expected list or keep HOURS")


def settings() -> dict[str, Any]:
    """Return what K3s was told of the store; nothing if there is none."""
    try:
        read: dict[str, Any] = json.loads((FOLDER / "config.yaml.d/50-snapshots.yaml").read_text())
    except FileNotFoundError:
        return {}
    return read


def keep(told: dict[str, Any], seconds: float) -> None:
    """Have a young snapshot of this server in the store."""
    node = json.loads((FOLDER / "config.yaml").read_text())["node-name"]
    label = told["etcd-snapshot-name"]
    if time.time() - newest(told, f"{label}-{node}-") <= seconds:
        return
    began = int(time.time())
    done = run("k3s", "etcd-snapshot", "save", "--name", label)
    if done.returncode:
        sys.exit(f"k3s-snapshots: {(done.stderr or done.stdout).strip()}")
    # K3s itself calls it a success when only the upload failed.
    if newest(told, f"{label}-{node}-") < began:
        sys.exit(f"k3s-snapshots: the snapshot did not arrive in {told['etcd-s3-bucket']}")
    kept = str(told["etcd-snapshot-retention"])
    run("k3s", "etcd-snapshot", "prune", "--name", label, "--snapshot-retention", kept)


def newest(told: dict[str, Any], prefix: str) -> int:
    """Return when the newest was taken that is in the store; 0 if none was."""
    return max((s.seconds for s in stored(told) if s.name.startswith(prefix)), default=0)


def local() -> list[Snapshot]:
    """Return those on this machine."""
    names = sorted(path.name for path in LOCAL.glob("*")) if LOCAL.is_dir() else []
    return [found for name in names if (found := Snapshot.named(name, str(LOCAL)))]


def stored(told: dict[str, Any]) -> list[Snapshot]:
    """Return those in the store."""
    found, more = [], ""
    while True:
        answer = ET.fromstring(page(told, more))  # noqa: S314 - of the store that keeps our backups
        name = re.sub(r"\}.*", "}", answer.tag) if "}" in answer.tag else ""
        for key in answer.iter(f"{name}Key"):
            snapshot = Snapshot.named((key.text or "").rpartition("/")[2], "store")
            found += [snapshot] if snapshot else []
        more = answer.findtext(f"{name}NextContinuationToken") or ""
        if not more:
            return found


def page(told: dict[str, Any], more: str) -> str:
    """Return a page of the bucket's list. curl is told by its stdin: others see its arguments."""
    query = {"list-type": "2", "prefix": f"{told['etcd-s3-folder']}/"}
    query |= {"continuation-token": more} if more else {}
    words = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(query.items()))
    lines = {
        "url": f"https://{told['etcd-s3-endpoint']}/{told['etcd-s3-bucket']}?{words}",
        "user": f"{told['etcd-s3-access-key']}:{told['etcd-s3-secret-key']}",
        "aws-sigv4": f"aws:amz:{told['etcd-s3-region']}:s3",
        "connect-timeout": "10",
        "max-time": "60",
    }
    if authority := told.get("etcd-s3-endpoint-ca"):
        lines["cacert"] = authority
    config = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", "--config", "-"],
        input=config, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        where = f"{told['etcd-s3-bucket']} at {told['etcd-s3-endpoint']}"
        sys.exit(f"k3s-snapshots: {where}: {done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
