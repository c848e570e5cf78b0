"""This machine's PostgreSQL and Patroni, pgBackRest, and where metrics are left."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOCKETS = "/run/postgresql"
IN_USE = "/etc/pgbackrest/pgbackrest.conf"
BEFORE = "/etc/pgbackrest/other.conf"
METRICS = Path("/var/lib/prometheus/node-exporter")
_ENOUGH = 200
_STREAMS = "streaming"


def say(text: str) -> None:
    """Write a line for the journal, or for whoever asked."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def sql(text: str, *, database: str = "postgres", sockets: str = SOCKETS, seconds: int = 60) -> str:
    """Return what PostgreSQL answers, unaligned; the text comes on standard input."""
    done = subprocess.run(
        ["timeout", str(seconds), "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", sockets,
         "-p", "5432", "-d", database],
        input=text, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"psql: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def pgbackrest(cluster: str, *words: str, seconds: int = 60, settings: str = IN_USE) -> str:
    """Return what pgBackRest prints; it ends by itself."""
    done = subprocess.run(
        ["timeout", str(seconds), "pgbackrest", f"--config={settings}", f"--stanza={cluster}",
         *words],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RuntimeError(f"pgbackrest {words[-1]}: exit {done.returncode}: {' '.join(told[:6])}")
    return done.stdout


def repository(cluster: str, *, may_be_new: bool = False, settings: str = IN_USE) -> dict[str, Any]:
    """Return what is in the repository; raise with what is wrong with it."""
    # Noise that a wrong key opened is in its text as it is, so that it is no JSON strictly.
    (found,) = json.loads(
        pgbackrest(cluster, "--output=json", "info", settings=settings), strict=False
    )
    code = found["status"]["code"]
    # 1: nobody has made it yet. 2: there is no backup yet, and all else is well.
    if code not in (0, 2) and not (code == 1 and may_be_new):
        raise RuntimeError(f"pgbackrest info: {_wrong_with(found)}")
    told: dict[str, Any] = found
    return told


def holding(cluster: str, moment: float | None = None) -> str | None:
    """Return the settings of the repository with a backup, of before a moment if one is named.

    After a new passphrase the one before has what is older, until the new one has a backup.
    """
    for settings in (IN_USE, BEFORE):
        found = repository(cluster, may_be_new=True, settings=settings)["backup"]
        if any(moment is None or b["timestamp"]["stop"] < moment for b in found):
            return settings
    return None


def fetching(cluster: str, settings: str, *words: str) -> str:
    """Return what PostgreSQL runs for a piece of log: first where the backup is."""
    told = " ".join(words)
    tries = [settings, *(s for s in (IN_USE, BEFORE) if s != settings)]
    return " || ".join(
        f'timeout 60 pgbackrest --config={each} --stanza={cluster} {told} archive-get %f "%p"'
        for each in tries
    )


def _wrong_with(found: Mapping[str, Any]) -> str:
    """Return what is wrong with a repository; what was opened with a wrong key is noise."""
    said = [r["status"]["message"] for r in found.get("repo", ()) if r["status"]["code"]]
    text = " ".join(said) or found["status"]["message"]
    readable = "".join(c if c.isascii() and c.isprintable() else " " for c in text[:_ENOUGH])
    if readable != text[:_ENOUGH] or "Crypto" in text or "Format" in text:
        readable += " (is the passphrase the one that the repository was made with?)"
    return " ".join(readable.split())


def members(api: str, authority: str) -> list[dict[str, Any]]:
    """Return the members of the cluster, as this machine's Patroni knows them."""
    context = ssl.create_default_context(cafile=authority)
    try:
        with urllib.request.urlopen(  # noqa: S310 - our own
            f"{api}/cluster", timeout=5, context=context
        ) as answer:
            told: list[dict[str, Any]] = json.load(answer)["members"]
    except (OSError, ValueError) as error:
        raise RuntimeError(f"Patroni does not answer: {error}") from error
    return told


def leads(me: str, cluster: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether this machine leads."""
    return any(m["name"] == me and m["role"] == "leader" for m in cluster)


def heavy_worker(cluster: Sequence[Mapping[str, Any]]) -> str | None:
    """Return who does the heavy work: the standby least wanted as leader; all find the same one."""
    standbys = [m for m in cluster if m["state"] == _STREAMS]
    candidates = standbys or [m for m in cluster if m["role"] == "leader"]
    wanted = [(int(m.get("tags", {}).get("failover_priority", 1)), m["name"]) for m in candidates]
    return str(min(wanted)[1]) if wanted else None


def write_metrics(name: str, values: Mapping[str, float], folder: Path = METRICS) -> None:
    """Leave numbers for the node exporter, whole or not at all."""
    new = folder / f"{name}.prom.new"
    new.write_text("".join(f"{key} {value}\n" for key, value in values.items()))
    new.chmod(0o644)
    new.replace(folder / f"{name}.prom")
