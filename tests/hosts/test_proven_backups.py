"""What is done so that backups are proven, read without a host."""

from __future__ import annotations

import json

import pytest

from hosts import patroni, proven_backups

from .wanted import arguments, faults, node

OPENER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA"


def with_backups(**more: object) -> dict[str, object]:
    return {"backups": {**arguments()["backups"], **more}}


@pytest.fixture
def host_says(monkeypatch):
    said = {"answer": ""}
    fake = type("Host", (), {"get_fact": lambda *_: said["answer"]})()
    monkeypatch.setattr(proven_backups, "host", fake)
    return said


def test_the_store_is_tried_once_for_what_it_is_told_and_again_when_that_changes(
    operations, host_says
):
    proven_backups.try_the_store(node().proven_backups)
    tried = operations["Try the object store"]
    settings = operations.written(proven_backups.PLACE).text
    assert tried.runs

    host_says["answer"] = proven_backups.hashlib.sha256(settings.encode()).hexdigest()
    assert not tried.runs
    operations.all.clear()
    proven_backups.try_the_store(node(**with_backups(retention_days=7)).proven_backups)
    assert operations["Try the object store"].runs


@pytest.mark.usefixtures("host_says")
def test_its_credentials_are_for_the_databases_user_alone(operations):
    proven_backups.try_the_store(node().proven_backups)
    written = operations.written(proven_backups.PLACE)

    assert (written.told["group"], written.told["mode"]) == ("postgres", "640")
    assert json.loads(written.text)["store"]["key_secret"] == "canary-key-secret"
    assert "passphrase" not in written.text
    for operation in operations.all:
        assert "canary" not in str(operation.told.get("commands"))


def test_without_a_key_to_open_them_no_dumps_are_made(operations):
    operations.read(proven_backups.proven_backups, node().proven_backups)
    assert operations["Have no dumps done"].told["enabled"] is False

    operations.all.clear()
    told = node(**with_backups(dumps_for=OPENER, dump_at="03:30")).proven_backups
    operations.read(proven_backups.proven_backups, told)
    timer = operations.written("/etc/systemd/system/database-dumps.timer").text
    assert operations["Have the dumps done by the clock"].told["enabled"] is True
    assert "OnCalendar=*-*-* 03:30\n" in timer


def test_a_gap_starts_a_full_backup(operations):
    operations.read(proven_backups.proven_backups, node().proven_backups)
    unit = operations.written("/etc/systemd/system/database-archive.service").text

    assert '"$EXIT_STATUS" = 3' in unit
    assert "start --no-block database-backup@full.service" in unit


@pytest.mark.parametrize("dumps_for", ["ssh-rsa AAAA", "ssh-ed25519 AAAA with a comment"])
def test_a_key_that_could_not_be_used_is_refused(dumps_for):
    wanted = node(**with_backups(dumps_for=dumps_for))

    with pytest.raises(ValueError, match="recipient: must be"):
        _ = wanted.proven_backups


def test_what_cannot_be_kept_is_refused():
    assert not faults(**with_backups(retention_days=1))
    with pytest.raises(ValueError, match=r"(?s)drill_every_days.*dump_at"):
        _ = node(**with_backups(drill_every_days=0, dump_at="25:00")).proven_backups


@pytest.mark.parametrize("wish", ["latest", "2026-11-20 10:15:00+00:00"])
def test_a_cluster_without_data_begins_with_the_backup_if_that_is_wanted(operations, wish):
    wanted = node(**with_backups(found_from=wish))
    operations.read(patroni.patroni, wanted.patroni)
    said = operations.written("/etc/patroni/config.yml").text

    assert wanted.proven_backups.told["found_from"] == wish
    assert "method: founding\n" in said
    assert "command: /usr/local/bin/database-proof found\n" in said


def test_without_that_wish_it_begins_empty(operations):
    operations.read(patroni.patroni, node().patroni)

    assert "method:" not in operations.written("/etc/patroni/config.yml").text


@pytest.mark.parametrize("wish", ["yesterday", "2026-11-20 10:15:00"])
def test_a_moment_without_its_time_zone_is_refused(wish):
    with pytest.raises(ValueError, match="found_from: must be"):
        _ = node(**with_backups(found_from=wish)).proven_backups
