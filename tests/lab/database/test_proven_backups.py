"""What is in the bucket is proven, and what breaks it is found: each test breaks one thing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops import database
from ops.drill import drill
from ops.reach import FailedError

from . import store as s3
from .proof import archived, key_pair, markers, metric, operated, sql, told
from .tier import Tier, changes, failed

pytestmark = [pytest.mark.machines, pytest.mark.database]
SUM = "select count(*), sum(n) from ledger"
PROOF = "runuser -u postgres -- database-proof"


@pytest.fixture(scope="module")
def opener(tmp_path_factory) -> tuple[str, bytes]:
    return key_pair(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def store(fresh, tmp_path_factory, opener) -> Iterator[s3.Store]:
    made = s3.Store(fresh.lab.network, tmp_path_factory.mktemp("store"), fresh.authority)
    fresh.more["backups"] = {**made.backups(), "dumps_for": opener[0]}
    with made.running():
        yield made


@pytest.fixture(scope="module")
def tier(fresh, store) -> Tier:  # noqa: ARG001 - it must run first
    """Three machines that are a database with backups, of which there is one."""
    fresh.apply()
    fresh.machine(fresh.leader()).ssh("systemctl start database-backup@full")
    markers(fresh, 3)
    return fresh


@pytest.mark.usefixtures("store")
def test_a_store_that_refuses_ends_the_deploy_before_a_database_is_there(fresh):
    right = fresh.more["backups"]
    wrong = {**right["store"], "key_secret": "not-the-secret-0123456789"}
    fresh.more["backups"] = {**right, "store": wrong}
    events = fresh.ask(fresh.request("apply", "database", "db-node1"))
    fresh.more["backups"] = right

    said = "\n".join(failed(events))
    assert "can't be trusted with backups" in said
    for what in ("put", "get", "list", "multipart"):
        assert f"{what}" in said
    assert "SignatureDoesNotMatch" in said
    assert wrong["key_secret"] not in said
    assert "main" not in fresh.machine("db-node1").ssh("ls /var/lib/postgresql/17 || true")


def test_once_it_is_trusted_a_second_run_changes_nothing(fresh, store):
    fresh.apply()

    assert changes(fresh.apply()) == {}
    assert "preflight" not in "\n".join(map(str, store.files))


def test_a_backup_is_proven_at_a_moment_at_random(tier):
    sql(tier, "create table stock as select n, md5(n::text) as word from generate_series(1, 500) n")
    markers(tier, 3)
    with operated(tier) as ours:
        report = drill(ours)

    assert report["proven"], told(report)
    assert report["compared"]["missing"] == 0
    assert report["compared"]["tables"] >= 1
    assert report["machine"] != tier.leader()
    assert report["markers"]["expected"] > 0
    assert report["rto_seconds"] < 60
    assert report["rpo_seconds"] < 90
    assert metric(tier, report["machine"], "database_drill_proven") == 1
    assert tier.machine(report["machine"]).ssh("ls /var/lib/postgresql").split() == [
        "17",
        "lost+found",
        "pgbackrest-spool",
    ]


@pytest.mark.parametrize(("part", "step"), [("bundle", "repository"), ("archive", "repository")])
def test_a_flipped_bit_anywhere_in_the_repository_is_found(tier, store, part, step):
    files = [f for f in store.files if part in f.parts and not f.name.startswith(("archive", "b"))]
    file = max(files, key=lambda f: f.stat().st_mtime if part == "archive" else f.stat().st_size)
    whole = file.read_bytes()
    broken = bytearray(whole)
    broken[len(broken) // 2] ^= 1
    file.write_bytes(broken)
    try:
        with operated(tier) as ours:
            report = drill(ours)
    finally:
        file.write_bytes(whole)

    assert not report["proven"]
    assert any(fault.startswith(step) for fault in report["faults"]), told(report)
    assert metric(tier, report["machine"], "database_drill_proven") == 0
    assert metric(tier, report["machine"], "database_drill_last_proven") > 0


def test_without_the_right_passphrase_nothing_is_restored(tier):
    standby = next(name for name in tier.names if name != tier.leader())
    settings = "/etc/pgbackrest/pgbackrest.conf"
    tier.machine(standby).ssh(
        f"cp -p {settings} /run/kept.conf; sed -i 's/^repo1-cipher-pass=.*/&x/' {settings}"
    )
    try:
        with operated(tier) as ours:
            report = drill(ours, standby)
    finally:
        tier.machine(standby).ssh(f"mv /run/kept.conf {settings}")

    assert not report["proven"]
    assert report["rto_seconds"] is None
    assert "passphrase" in " ".join(report["faults"]), told(report)


def test_a_table_is_there_again_as_it_was_one_second_before_it_was_dropped(tier):
    sql(tier, "create table ledger as select generate_series(1, 1000) as n")
    moment = sql(tier, "select clock_timestamp() from pg_sleep(1)")
    sql(tier, "select pg_sleep(1)")
    sql(tier, "drop table ledger")
    archived(tier)
    with operated(tier) as ours:
        database.restore_to(ours, moment, None, agreed=True)
        standby = ours.replicas_first()[0]
        look = f"runuser -u postgres -- psql -XAtq -h {database.RESTORED}/run cold_db"
        found = standby.run(f"{look} -c '{SUM}'")
        standby.run("systemctl stop database-restored")
        left = standby.run("ls /var/lib/postgresql")
        with pytest.raises(FailedError, match="time zone"):
            database.restore_to(ours, "2026-01-01 00:00:00", None, agreed=True)

    assert found.strip() == "1000|500500"
    assert "restored" not in left


def test_a_dump_of_every_database_opens_with_the_key_that_is_kept_elsewhere(tier, store, opener):
    sql(tier, "create table rooms as select generate_series(1, 20) as room, 'canary-word' as word")
    for machine in tier.machines:
        machine.ssh("systemctl start database-dumps")
    with operated(tier) as ours:
        leader = ours.leader()
        (when,) = leader.run(f"{PROOF} dumps list").split()
        leader.run(f"{PROOF} dumps restore {when} cold_db again", stdin=opener[1])
        with pytest.raises(FailedError, match="can't be opened with this key"):
            leader.run(f"{PROOF} dumps restore {when} cold_db other", stdin=b"no key")
        with pytest.raises(FailedError, match="cold_db exists"):
            leader.run(f"{PROOF} dumps restore {when} cold_db cold_db", stdin=opener[1])

    assert sql(tier, "select count(*), sum(room) from rooms", "again") == "20|210"
    kept = [f for f in store.files if "cold-dumps" in f.parts]
    assert {f.name for f in kept} == {
        "cold_db.dump.age", "postgres.dump.age", "globals.sql.age", "complete.json",
    }  # fmt: skip
    assert not [f for f in kept if b"canary-word" in f.read_bytes()]
    for machine in tier.machines:
        assert "PRIVATE KEY" not in machine.ssh(
            "grep -rl 'OPENSSH PRIVATE' /run /tmp /etc/pgbackrest || true"
        )


def test_a_gap_in_the_archive_is_an_alarm_and_starts_a_full_backup(tier, store):
    markers(tier, 1)
    markers(tier, 1)
    pieces = sorted(
        (f for f in store.files if "archive" in f.parts and "-" in f.name), key=lambda f: f.name
    )
    leader = tier.machine(tier.leader())
    fulls = "runuser -u postgres -- pgbackrest info | grep -c 'full backup'"
    before = int(leader.ssh(fulls))
    leader.ssh("systemctl start database-archive")
    assert metric(tier, leader.name, "database_archive_missing_pieces") == 0

    pieces[-2].unlink()
    assert "failed" in leader.ssh(
        "systemctl start database-archive || systemctl is-failed database-archive"
    )
    assert "pieces of log are missing" in leader.ssh("journalctl -u database-archive -o cat")
    assert metric(tier, leader.name, "database_archive_missing_pieces") == 1
    assert tier.becomes(lambda: int(leader.ssh(fulls)) > before, 120)
    leader.ssh("systemctl start database-archive")
    assert metric(tier, leader.name, "database_archive_missing_pieces") == 0


@pytest.mark.usefixtures("store")
def test_a_piece_that_does_not_arrive_is_an_alarm_and_writes_go_on(tier):
    leader = tier.machine(tier.leader())
    leader.ssh(
        f"nft add table ip broken; nft 'add chain ip broken out {{ type filter hook output"
        f" priority 0; }}'; nft add rule ip broken out ip daddr {s3.ADDRESS} tcp dport"
        f" {s3.PORT} reject"
    )
    try:
        sql(tier, "create table while_away (n int)")
        sql(tier, "select pg_switch_wal()")
        waits = "select count(*) from pg_ls_archive_statusdir() where name like '%.ready'"
        assert tier.becomes(lambda: int(sql(tier, waits)) > 0, 60)
        said = leader.ssh(f"{PROOF} archive 1 2>&1; echo status $?")
    finally:
        leader.ssh("nft delete table ip broken")

    assert "pieces of log wait to be archived" in said
    assert "status 1" in said
    archived(tier)
    assert sql(tier, "select count(*) from while_away") == "0"
