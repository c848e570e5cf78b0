"""What seals the backups is changed: what was sealed before can be restored, at every moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ops import database
from ops.drill import drill
from ops.tier import Tier as Operated

from . import store as s3
from .clients import clients_of, found, writes
from .proof import archived, key_pair, markers, operated, sql, told
from .tier import Tier, changes

pytestmark = [pytest.mark.machines, pytest.mark.database]
ROWS = "select string_agg(n::text, chr(44) order by n) from ledger"
PROOF = "runuser -u postgres -- database-proof"


@pytest.fixture(scope="module")
def store(fresh, tmp_path_factory) -> Iterator[s3.Store]:
    made = s3.Store(fresh.lab.network, tmp_path_factory.mktemp("store"), fresh.authority)
    with made.running():
        yield made


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, tuple[str, bytes]]:
    return {which: key_pair(tmp_path_factory.mktemp(which)) for which in ("first", "second")}


@pytest.fixture(scope="module")
def tier(fresh, store, keys) -> Tier:
    """Three machines with a backup, and rows that come after it."""
    fresh.more["backups"] = {**store.backups(), "dumps_for": keys["first"][0]}
    fresh.apply()
    fresh.machine(fresh.leader()).ssh("systemctl start database-backup@full")
    markers(fresh, 1)
    return fresh


def row(tier: Tier, number: int) -> str:
    """Write a row, and return a moment at which it is there and no later one is."""
    sql(tier, "create table if not exists ledger (n int)")
    sql(tier, f"insert into ledger values ({number})")  # noqa: S608 - a number of ours
    moment = sql(tier, "select clock_timestamp() from pg_sleep(1)")
    sql(tier, "select pg_sleep(1)")
    return moment


def rows_at(ours: Operated, moment: str) -> str:
    """Return the rows of a copy as of a moment."""
    database.restore_to(ours, moment, None, agreed=True)
    standby = ours.replicas_first()[0]
    look = f"runuser -u postgres -- psql -XAtq -h {database.RESTORED}/run cold_db"
    said = standby.run(f"{look} -c '{ROWS}'")
    standby.run("systemctl stop database-restored")
    return said.strip()


def test_a_new_passphrase_seals_what_comes_and_every_moment_can_be_restored(
    tier, store, keys, tmp_path
):
    workload = clients_of(tier, tmp_path, anew=True)
    before = row(tier, 1)
    archived(tier)
    tier.machine(tier.names[-1]).ssh(f"{PROOF} dumps list")
    old = {file.relative_to(store.folder).parts[2] for file in store.files}

    with workload.running():
        writes(tier, workload)
        backups = tier.more["backups"]
        backups["passphrase"]["in_use"] = "second"
        backups["dumps_for"] = keys["second"][0]
        tier.apply()
        # Now there is a repository, and no backup in it yet.
        tier.machine(tier.leader()).ssh("systemctl restart database-repository")
        between = row(tier, 2)
        archived(tier)
        with operated(tier) as ours:
            assert rows_at(ours, between) == "1,2"
        tier.machine(tier.leader()).ssh("systemctl start database-backup@full")
        after = row(tier, 3)
        markers(tier, 2)
        writes(tier, workload)

    with operated(tier) as ours:
        report = drill(ours)
        assert report["proven"], told(report)
        assert (rows_at(ours, before), rows_at(ours, after)) == ("1", "1,2,3")
    new = {file.relative_to(store.folder).parts[2] for file in store.files} - old
    assert len([name for name in new if re.fullmatch(r"cold-[0-9a-f]{8}", name)]) == 1
    assert changes(tier.apply()) == {}
    said = found(workload)
    assert (said["lost"], said["unknown"], said["refused"]) == (0, 0, 0)
    assert not workload.connects


def test_dumps_after_a_rotation_open_with_the_new_key_alone(tier, keys):
    for machine in tier.machines:
        machine.ssh("systemctl start database-dumps")
    with operated(tier) as ours:
        leader = ours.leader()
        (when,) = leader.run(f"{PROOF} dumps list").split()
        with pytest.raises(database.FailedError, match="can't be opened with this key"):
            leader.run(f"{PROOF} dumps restore {when} cold_db other", stdin=keys["first"][1])
        leader.run(f"{PROOF} dumps restore {when} cold_db again", stdin=keys["second"][1])

    assert sql(tier, "select count(*) from ledger", "again") == "3"
