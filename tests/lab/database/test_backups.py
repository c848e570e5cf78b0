"""Backups in a real object store: encrypted, restored to a point in time, and in nobody's way."""

from __future__ import annotations

import time
import zlib

import pytest

from . import store as s3
from .proof import archived, sql
from .tier import changes

pytestmark = [pytest.mark.machines, pytest.mark.database]
# The machine's own server runs beside it: another port, another folder, and no archive.
RESTORE = """set -eu
at=/var/lib/postgresql/restored
rm -rf $at; install -d -o postgres -g postgres -m 700 $at
cd /; as="runuser -u postgres --"
$as timeout 120 pgbackrest --stanza=cold --pg1-path=$at --type=time --target="{moment}" \
    --target-action=promote --archive-mode=off restore
settings="-p 5555 -c listen_addresses= -c ssl=off -c config_file=$at/postgresql.base.conf"
$as /usr/lib/postgresql/17/bin/pg_ctl -D $at -w -t 60 -l $at/log -o "$settings" start ||
    {{ cat $at/log; exit 1; }}
"""


@pytest.fixture(scope="module")
def store(tier, tmp_path_factory) -> s3.Store:
    made = s3.Store(tier.lab.network, tmp_path_factory.mktemp("store"), tier.authority)
    tier.more["backups"] = made.backups()
    return made


@pytest.mark.usefixtures("store")
def test_with_the_store_away_the_deploy_ends_and_writes_go_on(tier):
    started = time.monotonic()
    tier.apply()
    assert time.monotonic() - started < 120

    assert sql(tier, "create table before_the_store (n int); select 1") == "1"
    standby = next(name for name in tier.names if name != tier.leader())
    tier.machine(standby).execute("systemctl", "restart", "patroni")
    deadline = time.monotonic() + 60
    while tier.patroni()[standby]["State"] != "streaming":
        assert time.monotonic() < deadline, tier.patroni()
        time.sleep(0.5)


def test_once_the_store_answers_backups_are_made_and_nothing_is_left_to_do(tier, store):
    with store.running():
        for machine in tier.machines:
            machine.ssh("systemctl restart database-repository.service")
        leader = tier.machine(tier.leader())
        deadline = time.monotonic() + 60
        while "full" not in leader.ssh(
            "systemctl start database-backup@full; runuser -u postgres -- pgbackrest info"
        ):
            assert time.monotonic() < deadline
        archived(tier)
        trusted = "test -e /var/lib/database-backups/trusted && echo yes || true"
        assert tier.becomes(lambda: all("yes" in m.ssh(trusted) for m in tier.machines), 60)
        assert changes(tier.apply()) == {}


def test_what_is_in_the_bucket_says_nothing_without_the_key(tier, store):
    with store.running():
        sql(tier, "create table if not exists words (word text)")
        sql(tier, "insert into words values ('canary-word')")
        tier.machine(tier.leader()).ssh("systemctl start database-backup@incr")
        archived(tier)

    assert len(store.files) > 10
    for file in store.files:
        content = file.read_bytes()
        assert b"canary-word" not in content
        # Plain text, tables and the database's log all become much smaller; noise does not.
        assert len(zlib.compress(content)) > 0.98 * len(content), file


def test_a_dropped_table_is_restored_to_the_moment_before(tier, store):
    with store.running():
        sql(tier, "create table ledger as select generate_series(1, 1000) as n")
        moment = sql(tier, "select clock_timestamp()")
        time.sleep(1)
        sql(tier, "drop table ledger")
        archived(tier)
        standby = tier.machine(next(name for name in tier.names if name != tier.leader()))

        standby.ssh(RESTORE.format(moment=moment))
        found = standby.ssh(
            "cd /; runuser -u postgres -- psql -XAtq -h /run/postgresql -p 5555 cold_db"
            " -c 'select count(*), sum(n) from ledger'"
        )
        standby.ssh(
            "cd /; runuser -u postgres -- /usr/lib/postgresql/17/bin/pg_ctl stop -m immediate"
            " -D /var/lib/postgresql/restored; rm -rf /var/lib/postgresql/restored"
        )

    assert found.strip() == "1000|500500"
