"""The contract of a database machine: what follows from it, and what it refuses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from hosts import database
from hosts.database_node import DatabaseNode
from pulumi_pyinfra.source_hash import files_of

from .wanted import PASSWORDS, arguments, faults, node, pair

ROOT = Path(__file__).resolve().parents[2]


def test_every_fault_is_named_at_once_and_where_it_is():
    told = faults(
        name="db-node9",
        cluster="No Good",
        virtual_address="192.168.15.120/24",
        passwords={**PASSWORDS, "redis": {**pair("redis"), "second": "no"}},
        colour="blue",
    )

    assert any(fault.startswith("colour: unknown key") for fault in told)
    assert "passwords.redis.second: must be at least 8 letters, digits, - or _" in told
    assert faults(name="db-node9", cluster="No Good", virtual_address="192.168.15.120/24") == [
        "cluster: must match [a-z][a-z0-9_-]{0,62}, got No Good",
        "name: no member is db-node9",
        "virtual_address: belongs to a member",
    ]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"virtual_address": "10.0.0.1/24"}, "members: 192.168.15.120 is outside 10.0.0.0/24"),
        ({"data_disk": 5}, "data_disk: expected text, got a whole number"),
        ({"cluster": "x" * 70}, "cluster: must match"),
    ],
)
def test_an_impossible_wish_is_refused(more, fault):
    assert any(told.startswith(fault) for told in faults(**more))


def test_no_secret_is_in_what_a_contract_says_of_itself():
    wanted = node()

    for part in (
        wanted,
        wanted.proven_backups,
        wanted.etcd,
        wanted.patroni,
        wanted.roles,
        wanted.redis,
        wanted.pgbackrest,
    ):
        assert "canary" not in repr(part)


def test_a_wrong_secret_is_refused_without_being_told():
    told = faults(passwords={**PASSWORDS, "pooler": pair("quote'canary")})

    assert told
    assert "canary" not in " ".join(told)


def test_the_firewall_opens_for_peers_and_applications_alone():
    openings = {opening.what: opening for opening in node().base.openings}
    peers = {IPv4Network("192.168.15.121/32"), IPv4Network("192.168.15.122/32")}

    assert set(openings["etcd"].sources) == peers
    assert set(openings["VRRP"].sources) == peers
    assert set(openings["PostgreSQL, its pooler and Redis"].sources) == {
        *peers,
        IPv4Network("192.168.15.110/32"),
        IPv4Network("192.168.15.111/32"),
    }


def test_a_machine_alone_opens_nothing_for_peers():
    alone = {"db-node1": arguments()["members"]["db-node1"]}

    openings = {opening.what for opening in node(members=alone).base.openings}
    assert "PostgreSQL, its pooler and Redis" in openings
    assert not openings & {"etcd", "VRRP"}


def test_each_machine_asks_its_own_etcd_first():
    assert node(name="db-node2").patroni.stores[0] == "192.168.15.121:2379"


def test_keepalived_knows_its_peers_and_not_itself():
    wanted = node(name="db-node2").keepalived

    assert wanted.priority == 90
    assert set(wanted.peers) == {IPv4Address("192.168.15.120"), IPv4Address("192.168.15.122")}


def test_without_backups_the_log_is_let_go_and_nothing_of_them_is_there():
    wanted = node(backups=None)

    assert wanted.pgbackrest is None
    assert wanted.proven_backups is None
    assert wanted.patroni.archive_command == "/bin/true"


def test_no_package_starts_or_restarts_a_service_of_ours():
    assert {"etcd", "patroni", "pgbouncer", "keepalived", "redis-server", "postgresql"} <= set(
        database.PACKAGES.ours
    )


@pytest.mark.parametrize("folder", ["templates", "on_machine", "on_machine/backups"])
def test_an_edit_of_any_file_that_reaches_a_machine_is_a_change(folder):
    deploys = ("database:database", "leaving:leave", "k3s:k3s", "k3s_leaving:leave")
    seen = {file for deploy in deploys for file in files_of(f"hosts.{deploy}", ROOT)}
    there = {p for p in (ROOT / "hosts" / folder).iterdir() if p.is_file()}

    assert {p.name for p in there - seen} <= {"__init__.py"}


def test_the_contract_is_all_plain_data():
    assert node() == node()
    assert isinstance(node(), DatabaseNode)
