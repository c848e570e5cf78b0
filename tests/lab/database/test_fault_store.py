"""F22: the store of the backups is away, or refuses its key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import store as s3
from .case import Case, Fault
from .proof import archived, sql

AWAY_SECONDS = 40


@pytest.fixture
def store(case, tmp_path) -> Iterator[s3.Store]:
    """Have a store that the tier keeps its log in, for this case alone."""
    made = s3.Store(case.tier.lab.network, tmp_path, case.tier.authority)
    case.tier.more["backups"] = made.backups()
    with made.running():
        case.tier.apply()
        yield made
    del case.tier.more["backups"]
    case.tier.apply()


@Fault(
    number="F22a",
    what="The store of the backups is silent while the log is written",
    how=f"S3 server takes connections and answers nobody for {AWAY_SECONDS} s",
    within=2,
    moves=False,
)
def test_without_the_store_writes_go_on_and_nothing_is_missing_after(case: Case, store: s3.Store):
    archived(case.tier)
    with case.running():
        with store.silent():
            for second in range(5, AWAY_SECONDS, 5):
                case.last(second)
                sql(case.tier, "select pg_switch_wal()")
            assert failures(case) > 0, "the store was not away"
        archived(case.tier)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F22b",
    what="The store refuses the key that the machines have",
    how="a wrong secret rolled out, log written, the right one rolled out",
    within=2,
    moves=False,
)
def test_a_store_that_refuses_the_key_stops_no_write(case: Case, store: s3.Store):
    with case.running():
        right = store.backups()
        case.tier.more["backups"] = {**right, "store": {**right["store"], "key_secret": "x" * 20}}
        with pytest.raises(AssertionError, match="SignatureDoesNotMatch"):
            case.tier.apply()
        before = failures(case)
        sql(case.tier, "select pg_switch_wal()")
        case.wait_for(lambda: failures(case) > before, 60)
        case.tier.more["backups"] = right
        case.tier.apply()
        archived(case.tier)
        case.wait_until_writes_are_back()
    case.check()


def failures(case: Case) -> int:
    """Return how often a piece of the log could not be kept."""
    return int(sql(case.tier, "select failed_count from pg_stat_archiver"))
