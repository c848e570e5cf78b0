"""Proofs of backups on the machines: with the keys and the units that people use."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.machines.network import NAMESPACES, entered
from ops.reach import machines
from ops.tier import Tier as Operated

from .tier import Tier

MARKERS = "select count(*) from platform.markers"


def key_pair(folder: Path) -> tuple[str, bytes]:
    """Return a key for dumps: what the machines are told, and what opens them."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / "dumps")],
        check=True,
    )
    public = (folder / "dumps.pub").read_text().split()[:2]
    return " ".join(public), (folder / "dumps").read_bytes()


@contextmanager
def operated(tier: Tier) -> Iterator[Operated]:
    """Have the tier as its operator has it: over SSH, from the network of the lab."""
    hosts = {name: tier.ssh_to(tier.machine(name)) for name in tier.names}
    with entered(NAMESPACES / tier.lab.place.namespace), machines(hosts) as reached:
        yield Operated(machines=reached)


def members_of_etcd(tier: Tier, asked: str) -> dict[str, str]:
    """Return the members by name, and whether each votes or learns."""
    said = tier.machine(asked).execute(
        "sh", "-c", "set -a; . /etc/etcd/etcdctl.env; etcdctl member list"
    )
    lines = [line.split(", ") for line in said.splitlines()]
    return {name: "learns" if learner == "true" else "votes" for _, _, name, _, _, learner in lines}


def sql(tier: Tier, text: str, database: str = "cold_db") -> str:
    """Ask the leader."""
    command = f'runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 {database} -c "{text}"'
    return tier.machine(tier.leader()).ssh(command).strip()


def archived(tier: Tier) -> None:
    """Have all that was written so far in the store."""
    name = sql(tier, "select pg_walfile_name(pg_switch_wal())")
    done = "select last_archived_wal from pg_stat_archiver"
    arrived = tier.becomes(lambda: sql(tier, done) >= name, 120)
    archiver = sql(tier, "select * from pg_stat_archiver")
    assert arrived, f"{name}: {archiver}"


def markers(tier: Tier, more: int) -> None:
    """Wait until some more markers were written, and are archived."""
    until = int(sql(tier, MARKERS, "postgres")) + more
    assert tier.becomes(lambda: int(sql(tier, MARKERS, "postgres")) >= until, 60)
    archived(tier)


def metric(tier: Tier, name: str, key: str) -> float:
    """Return a number that a machine leaves for the node exporter."""
    said = tier.machine(name).ssh("cat /var/lib/prometheus/node-exporter/*.prom")
    return next(float(line.split()[-1]) for line in said.splitlines() if line.startswith(key))


def told(report: dict[str, Any]) -> str:
    """Return a report for whoever reads why a test failed."""
    return json.dumps(report, indent=1)
