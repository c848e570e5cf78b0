"""F28: Redis loses its master. It is a cache: what it acknowledged may be lost, and is counted."""

from __future__ import annotations

import pytest

from lab.machines import faults

from . import injections
from .cache_writes import CacheWrites
from .case import SLOWER, Case, Fault
from .test_fault_address import switch_over
from .tier import PASSWORDS, VIRTUAL


@pytest.fixture
def cache(case) -> CacheWrites:
    return CacheWrites(case.workload.namespace, VIRTUAL, PASSWORDS["redis"])


def told(case: Case, cache: CacheWrites) -> None:
    """Add what the cache's client saw; what is lost is told and not held against anybody."""
    case.told["Redis: outage"] = round(cache.outage(), 1)
    case.told["Redis: acknowledged"] = len(cache.done)
    case.told["Redis: lost"] = cache.lost()


@Fault(
    number="F28a",
    what="Redis is killed where it is the master, and systemd starts it again",
    how="SIGKILL",
    within=2,
    moves=False,
    quick=True,
)
def test_a_killed_redis_is_back_and_postgresql_did_not_notice(case: Case, cache: CacheWrites):
    with case.running(), cache.running():
        case.wait_for(lambda: len(cache.done) > 20, 10)
        injections.signal(case.leader, "KILL", "redis-server")
        case.last(10)
        case.wait_until_writes_are_back()
    told(case, cache)
    case.check()
    assert case.told["Redis: outage"] <= 5 * SLOWER


@Fault(
    number="F28b",
    what="The leader hands over: the master of Redis follows the address",
    how="`database-switchover`",
    within=10,
    moves=True,
)
def test_redis_is_written_again_as_soon_as_the_address_has_moved(case: Case, cache: CacheWrites):
    with case.running(), cache.running():
        switch_over(case.leader)
        case.wait_for_another_leader(30)
        case.wait_until_writes_are_back()
    told(case, cache)
    case.check()
    assert case.told["Redis: outage"] <= case.told["no holder"] + 2 * SLOWER


@Fault(
    number="F28c",
    what="The master of Redis is cut off from its peers, and clients still reach it",
    how="as F09",
    within=32,
    moves=True,
)
def test_a_master_that_is_cut_off_refuses_writes(case: Case, cache: CacheWrites):
    with case.running(), cache.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others):
            case.wait_for(lambda: case.sampler.holder() is None, 20 * SLOWER)
            cut = len(cache.done)
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
            case.wait_for(lambda: len(cache.done) > cut + 20, 10)
            asked = f"REDISCLI_AUTH={PASSWORDS['redis']} redis-cli --user application set a b"
            assert "READONLY" in injections.shell(leader, f"{asked} 2>&1 || true")
    told(case, cache)
    case.check()
    assert case.told["Redis: outage"] <= case.told["no holder"] + 5 * SLOWER
