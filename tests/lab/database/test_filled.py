"""Rows of one stack reach another's machines masked, and those of before are beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lab.machines.network import NAMESPACES
from ops.fill import Database, fill
from ops.reach import FailedError, machines
from ops.tier import Tier as Operated
from tests.lab.machines.conftest import a_lab

from . import store as s3
from .proof import archived, markers, sql
from .tier import Tier

pytestmark = [pytest.mark.machines, pytest.mark.database]
COLD = Database(name="cold_db", owner="cold_user")
CANARY = "canary-of-anna"
MASKING = "UPDATE people SET name = 'somebody';"


@pytest.fixture(scope="module")
def source(fresh, tmp_path_factory) -> Iterator[Tier]:
    made = s3.Store(fresh.lab.network, tmp_path_factory.mktemp("store"), fresh.authority)
    fresh.more["backups"] = made.backups()
    with made.running():
        fresh.apply()
        fresh.machine(fresh.leader()).ssh("systemctl start database-backup@full")
        yield fresh


@pytest.fixture(scope="module")
def target(image) -> Iterator[Tier]:
    """One machine in a network of its own."""
    with a_lab(image) as lab:
        tier = Tier(lab, names=("db-node1",), more={"synchronous": False})
        tier.start(*tier.names)
        tier.apply()
        yield tier


@contextmanager
def from_outside(tier: Tier) -> Iterator[Operated]:
    """Have a tier as somebody has it who reaches several networks."""
    entering = ("nsenter", f"--net={NAMESPACES / tier.lab.place.namespace}")
    hosts = {name: tier.ssh_to(tier.machine(name)) for name in tier.names}
    with machines(hosts) as reached:
        yield Operated(
            machines={
                name: replace(machine, command=(*entering, *machine.command))
                for name, machine in reached.items()
            }
        )


def people(tier: Tier, database: str = "cold_db") -> str:
    return sql(tier, "select string_agg(name, ',' order by n) from people", database)


def test_what_arrives_is_masked_and_what_was_there_is_kept_once(source, target):
    sql(source, f"create table people as select 1 as n, '{CANARY}' as name")
    sql(source, "alter table people owner to cold_user")
    moment = sql(source, "select clock_timestamp() from pg_sleep(1)")
    markers(source, 1)
    archived(source)
    sql(target, "create table people as select 1 as n, 'of testing' as name")

    with from_outside(target) as filled, from_outside(source) as read:
        with pytest.raises(FailedError, match="no_such_column"):
            fill(filled, COLD, read, COLD, masking="UPDATE people SET no_such_column = 1;",
                 moment=moment)  # fmt: skip
        assert people(target) == "of testing"
        for _ in range(2):
            fill(filled, COLD, read, COLD, masking=MASKING, moment=moment)

    assert people(target) == people(target, "cold_db_before") == "somebody"
    assert people(source) == CANARY
    owner = "select tableowner from pg_tables where tablename = 'people'"
    assert sql(target, owner) == "cold_user"
    written = target.machine("db-node1").ssh(
        f"grep -rl {CANARY} /var/lib/postgresql /var/log /tmp || true"
    )
    assert not written
    left = [machine.ssh("ls /var/lib/postgresql") for machine in source.machines]
    assert not [names for names in left if "restored" in names]
