"""All database machines are lost, with their disks: one deploy on blank ones brings all back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from . import store as s3
from .proof import archived, sql
from .tier import Tier, failed

pytestmark = [pytest.mark.machines, pytest.mark.database]


@pytest.fixture(scope="module")
def store(fresh, tmp_path_factory) -> Iterator[s3.Store]:
    made = s3.Store(fresh.lab.network, tmp_path_factory.mktemp("store"), fresh.authority)
    fresh.more["backups"] = {**made.backups(), "found_from": "latest"}
    with made.running():
        yield made


def lose(tier: Tier) -> None:
    """Destroy all machines and all of their disks; the bucket and what they are told stay."""
    for machine in tier.machines:
        disks = machine.args.disks.values()
        machine.delete()
        for file in disks:
            file.unlink()
    tier.start(*tier.names)


@pytest.mark.usefixtures("store")
def test_with_an_empty_bucket_a_cluster_begins_empty(fresh):
    fresh.apply()

    said = fresh.machine(fresh.leader()).ssh("journalctl -u patroni -o cat")
    assert "holds no backup of it, so it begins empty" in said
    assert sql(fresh, "select count(*) from pg_stat_user_tables") == "0"
    assert fresh.becomes(lambda: set(fresh.patroni()) == set(fresh.names), 60)


@pytest.mark.usefixtures("store")
def test_all_that_was_archived_is_there_again_on_blank_machines(fresh):
    sql(fresh, "create table rooms as select generate_series(1, 1000) as room")
    fresh.machine(fresh.leader()).ssh("systemctl start database-backup@full")
    sql(fresh, "insert into rooms select generate_series(1001, 1500)")
    archived(fresh)
    lose(fresh)

    began = time.monotonic()
    fresh.apply()
    print(f"\nall machines lost: answers again after {time.monotonic() - began:.1f} s")  # noqa: T201
    assert sql(fresh, "select count(*), max(room) from rooms") == "1500|1500"
    for name in fresh.names:
        assert not failed(fresh.ask(fresh.request("probe", "healthy", name)))

    sql(fresh, "insert into rooms values (1501)")
    archived(fresh)
    leader = fresh.machine(fresh.leader())
    leader.ssh("systemctl start database-archive")
    leader.ssh("systemctl start database-backup@incr")
