"""Faults under load: nothing acknowledged is lost, and the address is where the leader is.

The numbers are those of ``faults.md``. Each case ends with a tier that is well again, so that they
can follow each other on the same machines.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lab.machines import faults
from lab.machines.network import NAMESPACES, entered

from .cache_writes import CacheWrites
from .samples import Sampler
from .tier import OWNER_PASSWORD, PASSWORDS, VIRTUAL, Tier
from .workload import TABLE, Workload, verdict

pytestmark = [pytest.mark.machines, pytest.mark.database]
# Everything of the lab shares two cores with whatever else runs there.
SLOWER = 1.5


class Case:
    """A fault while numbers are written and everything is watched."""

    def __init__(self, tier: Tier, ca: str) -> None:
        context = ssl.create_default_context(cafile=ca)
        where = {
            "host": VIRTUAL, "port": 6432, "dbname": "cold_db", "user": "cold_user",
            "password": OWNER_PASSWORD, "sslmode": "verify-full", "sslrootcert": ca,
        }  # fmt: skip
        self.tier = tier
        self.workload = Workload(NAMESPACES / tier.lab.place.namespace, where)
        self.sampler = Sampler(tier.machines, VIRTUAL, context)
        self.began = 0.0

    @contextmanager
    def running(self) -> Iterator[Case]:
        with entered(self.workload.namespace), self.workload.connect() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
            connection.execute(f"CREATE TABLE {TABLE} (number integer PRIMARY KEY)")
        with ExitStack() as stack:
            stack.enter_context(self.sampler.running())
            stack.enter_context(self.workload.running())
            self.wait_for(lambda: len(self.workload.of("acknowledged")) > 40, 20)
            self.began = time.monotonic()
            yield self
            self.wait_until_well()

    def wait_for(self, true, seconds: float) -> float:
        """Return how long it took until something was true."""
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < seconds, f"not after {seconds} s"
            time.sleep(0.1)
        return time.monotonic() - started

    def wait_until_writes_are_back(self, seconds: float) -> None:
        """Wait for a write that was asked for after the fault, then for a few more."""

        def back() -> bool:
            return any(
                t.outcome == "acknowledged" and t.began > self.began + 1
                for t in self.workload.tries[-20:]
            )

        self.wait_for(back, seconds)
        time.sleep(2)

    def wait_until_well(self, seconds: float = 60 * SLOWER) -> None:
        def well() -> bool:
            members = self.tier.patroni().values()
            roles = [member["Role"] for member in members]
            states = {member["State"] for member in members if member["Role"] != "Leader"}
            return len(roles) == 3 and "Leader" in roles and states == {"streaming"}

        self.wait_for(well, seconds)

    def result(self) -> dict[str, object]:
        """Return the verdict and the times, and print them."""
        with entered(self.workload.namespace), self.workload.connect() as connection:
            rows = connection.execute(f"SELECT number FROM {TABLE} FOR UPDATE").fetchall()  # noqa: S608
        told: dict[str, object] = {
            **verdict(self.workload, {row[0] for row in rows}),
            "outage": round(self.workload.outage(self.began), 1),
            **self.sampler.seconds(),
        }
        print("\n", told)  # noqa: T201 - a report
        return told


@pytest.fixture
def case(tier, tmp_path) -> Case:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(tier.authority.cert_pem.bytes())
    return Case(tier, str(ca))


def test_f01_a_planned_switchover(case):
    case.workload.checked = True
    with case.running():
        leader = case.tier.machine(case.tier.leader())
        case.began = time.monotonic()
        leader.execute("systemctl", "start", "database-switchover@best.service")
        case.wait_until_writes_are_back(20 * SLOWER)
        assert case.tier.leader() != leader.name

    told = case.result()
    assert told["lost"] == told["unexpected"] == 0
    assert told["refused"] == told["unknown"] == 0
    assert told["outage"] <= 10 * SLOWER
    assert told["two holders"] == 0
    assert told["holder does not lead"] <= 2


def test_redis_is_written_again_as_soon_as_the_address_has_moved(case):
    cache = CacheWrites(case.workload.namespace, VIRTUAL, PASSWORDS["redis"])
    with case.running(), cache.running():
        leader = case.tier.machine(case.tier.leader())
        leader.execute("systemctl", "start", "database-switchover@best.service")
        case.wait_for(lambda: case.sampler.holder() not in (None, leader.name), 30)
        moved = time.monotonic()
        case.wait_for(lambda: cache.done[-1] > moved + 1, 20 * SLOWER)

    without_address = case.sampler.seconds()["no holder"]
    print("\n", {"redis": round(cache.outage(), 1), "no holder": without_address}, cache.errors)  # noqa: T201
    assert cache.outage() <= without_address + 2 * SLOWER


def test_f08_the_leaders_power_is_cut(case):
    with case.running():
        leader = case.tier.machine(case.tier.leader())
        case.began = time.monotonic()
        leader.power_cut()
        case.wait_until_writes_are_back(60 * SLOWER)
        leader.boot()
        leader.wait_for_ssh()

    told = case.result()
    assert told["lost"] == told["unexpected"] == 0
    assert told["outage"] <= 32 * SLOWER
    assert told["two holders"] == 0
    assert told["holder does not lead"] <= 2


def test_f09_the_leader_is_cut_off_from_its_peers_and_clients_still_reach_it(case):
    with case.running():
        leader = case.tier.machine(case.tier.leader())
        others = tuple(m for m in case.tier.machines if m.name != leader.name)
        with faults.partition(leader, away_from=others):
            case.began = time.monotonic()
            case.wait_until_writes_are_back(60 * SLOWER)

    told = case.result()
    assert told["lost"] == told["unexpected"] == 0
    assert told["outage"] <= 32 * SLOWER
    assert told["two holders"] <= 2
    assert told["holder does not lead"] <= 2


def signal(machine, name: str, process: str) -> None:
    machine.execute("sh", "-c", f"kill -{name} $(systemctl show -P MainPID {process})")


def test_f06_patroni_is_stopped_while_its_postgresql_goes_on(case):
    with case.running():
        leader = case.tier.machine(case.tier.leader())
        case.began = time.monotonic()
        signal(leader, "STOP", "patroni")
        try:
            case.wait_for(lambda: case.sampler.holder() is None, 5 * SLOWER)
            case.wait_for(lambda: case.sampler.holder() not in (None, leader.name), 40 * SLOWER)
            case.wait_until_writes_are_back(60 * SLOWER)
        finally:
            signal(leader, "CONT", "patroni")

    told = case.result()
    assert told["lost"] == told["unexpected"] == 0
    assert told["two holders"] == 0


def test_f21_a_stopped_keepalived_does_not_keep_the_address_from_the_next_leader(case):
    with case.running():
        leader = case.tier.machine(case.tier.leader())
        case.began = time.monotonic()
        pids = leader.execute("pidof", "keepalived").strip()
        leader.execute("sh", "-c", f"kill -STOP {pids}")
        try:
            leader.execute("systemctl", "start", "database-switchover@best.service")
            case.wait_for(lambda: case.sampler.holder() not in (None, leader.name), 30)
            case.wait_until_writes_are_back(30)
        finally:
            leader.execute("sh", "-c", f"kill -CONT {pids}")

    told = case.result()
    assert told["lost"] == told["unexpected"] == 0
    assert told["two holders"] <= 2
    assert told["holder does not lead"] <= 2


def test_control_without_synchronous_replication_the_same_partition_loses_writes(case):
    """The verdict is worth something only if it can be bad."""
    case.tier.more["synchronous"] = False
    case.tier.apply()
    try:
        with case.running():
            leader = case.tier.machine(case.tier.leader())
            others = tuple(m for m in case.tier.machines if m.name != leader.name)
            with faults.partition(leader, away_from=others):
                case.began = time.monotonic()
                case.wait_for(lambda: case.sampler.holder() not in (None, leader.name), 90)
                case.wait_until_writes_are_back(60 * SLOWER)
        assert case.result()["lost"] > 0
    finally:
        del case.tier.more["synchronous"]
        case.tier.apply()
