"""What a commit costs that is on two machines: ours beside one plain PostgreSQL, by pgbench.

    python -m benchmarks.commits [--rounds 3] [--seconds 10]

Root is needed. All on the same three machines of the lab, in turns: the tier as it is (a commit
waits for a standby), the tier without that, and a PostgreSQL of its own on one of the machines,
without pooler, TLS, standby or archive. The client is on a machine that does not lead, and writes
one row a transaction.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from lab.machines import BaseImage
from tests.lab.database.proof import sql
from tests.lab.database.tier import OWNER_PASSWORD, VIRTUAL, Tier
from tests.lab.machines.conftest import a_lab

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-commits.md"
BINARIES = "/usr/lib/postgresql/17/bin"
PLAIN, PORT = "/var/lib/postgresql/plain", 5499
CLIENTS = (1, 8, 32)
SCRIPT = "INSERT INTO written (word) VALUES (md5(random()::text));"
TABLE = "CREATE TABLE IF NOT EXISTS written (n bigserial PRIMARY KEY, word text NOT NULL)"
TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
Measured = dict[int, tuple[float, float]]
"""By clients: transactions a second, and the mean latency in milliseconds."""


def client(tier: Tier) -> str:
    """Return a machine that does not lead."""
    return next(name for name in reversed(tier.names) if name != tier.leader())


def bench(tier: Tier, where: str, password: str, seconds: int) -> Measured:
    """Write for some seconds with each number of clients."""
    found = {}
    for clients in CLIENTS:
        # Behind the pooler one connection is not one session: no statement is prepared.
        said = tier.machine(client(tier)).ssh(
            f"echo '{SCRIPT}' >/run/script.sql && PGPASSWORD={password} {BINARIES}/pgbench"
            f" --no-vacuum --protocol=simple --file=/run/script.sql --time={seconds}"
            f" --client={clients} --jobs=1 {where} 2>&1"
        )
        tps, latency = TPS.search(said), LATENCY.search(said)
        if not (tps and latency):
            raise RuntimeError(f"pgbench said: {said}")
        found[clients] = (float(tps[1]), float(latency[1]))
    return found


def of_the_tier(synchronous: bool) -> Callable[[Tier, int], Measured]:
    """Return what measures the tier by its address and its pooler."""

    def measure(tier: Tier, seconds: int) -> Measured:
        tier.more["synchronous"] = synchronous
        tier.apply()
        sql(tier, f"SET ROLE cold_user; {TABLE}")
        where = f"-h {VIRTUAL} -p 6432 -U cold_user cold_db"
        return bench(tier, where, OWNER_PASSWORD, seconds)

    return measure


def of_one(tier: Tier, seconds: int) -> Measured:
    """Measure a PostgreSQL of its own, on the disk of the leader, while the tier does nothing."""
    leader = tier.machine(tier.leader())
    address = leader.args.address.ip
    control = f"cd / && runuser -u postgres -- {BINARIES}/pg_ctl -s -D {PLAIN} -w"
    leader.ssh(
        f"cd / && runuser -u postgres -- {BINARIES}/initdb -D {PLAIN} >/dev/null &&"
        f" echo 'host all all {address}/24 trust' >>{PLAIN}/pg_hba.conf &&"
        f" nft insert rule inet platform input tcp dport {PORT} accept &&"
        f" {control} -l {PLAIN}/log -o \"-p {PORT} -c listen_addresses='*'"
        f' -c shared_buffers=256MB -c unix_socket_directories={PLAIN}" start &&'
        f" runuser -u postgres -- psql -q -h {PLAIN} -p {PORT} -c '{TABLE}'"
    )
    try:
        return bench(tier, f"-h {address} -p {PORT} -U postgres postgres", "none", seconds)
    finally:
        leader.ssh(f"{control} -m immediate stop; rm -rf {PLAIN}")


WAYS: dict[str, Callable[[Tier, int], Measured]] = {
    "our tier: a commit is on two machines": of_the_tier(synchronous=True),
    "our tier, asynchronous": of_the_tier(synchronous=False),
    "one plain PostgreSQL": of_one,
}


def page(took: Mapping[str, list[Measured]], seconds: int) -> str:
    """Return what was measured."""

    def cell(rounds: list[Measured], clients: int) -> str:
        tps = statistics.median(one[clients][0] for one in rounds)
        latency = statistics.median(one[clients][1] for one in rounds)
        return f"{tps:.0f}/s, {latency:.1f} ms"

    rows = [
        f"| {name} | {' | '.join(cell(rounds, clients) for clients in CLIENTS)} |"
        for name, rounds in took.items()
    ]
    count = len(next(iter(took.values())))
    return "\n".join(
        (
            "# What a commit costs\n",
            f"Made by `python -m benchmarks.commits`: {count} rounds in turns, {seconds} s each,"
            f" {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores and one disk for all three"
            f" machines, Linux, Python {platform.python_version()}. One row a transaction; medians"
            " of commits a second and of the mean latency.\n",
            f"| | {' | '.join(f'{n} clients' if n > 1 else '1 client' for n in CLIENTS)} |",
            f"| --- |{' --- |' * len(CLIENTS)}",
            *rows,
            "",
            "In the lab the machines share a disk and the network is a bridge: on machines of their"
            " own a commit waits for a network and a second disk instead.\n",
        )
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    asked = parser.parse_args()
    took: dict[str, list[Measured]] = {name: [] for name in WAYS}
    with a_lab(BaseImage().obtain()) as lab:
        tier = Tier(lab)
        tier.start(*tier.names)
        tier.apply()
        for _ in range(asked.rounds):
            for name, way in WAYS.items():
                took[name].append(way(tier, asked.seconds))
                print(f"{name}: {took[name][-1]}", flush=True)  # noqa: T201
    PAGE.write_text(page(took, asked.seconds))


if __name__ == "__main__":
    main()
