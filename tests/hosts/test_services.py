"""Each service's deploy, read on recorders: what it writes, and when it reloads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hosts import data_disk as disks
from hosts import etcd, firewall, keepalived, packages, patroni, pgbackrest, pgbouncer, redis, roles
from hosts.base import first_boot
from hosts.data_disk import data_disk
from hosts.ssh_server import SshServer, ssh_server

from .wanted import node, pair

TEMPLATES = Path(packages.__file__).parent / "templates"


@pytest.mark.parametrize(
    "case",
    [
        (
            keepalived.keepalived,
            node().keepalived,
            "Write the settings of keepalived",
            "Keep keepalived running",
            "Reload keepalived when its settings changed",
        ),
        (
            patroni.patroni,
            node().patroni,
            "Write Patroni's settings",
            "Keep Patroni running",
            "Have Patroni read its settings again",
        ),
        (
            patroni.patroni,
            node().patroni,
            "Write certificate.pem for postgres",
            "Keep Patroni running",
            "Have Patroni read its settings again",
        ),
        (
            pgbouncer.pgbouncer,
            node().pgbouncer,
            "Write key.pem for postgres",
            "Keep PgBouncer running",
            "Reload PgBouncer when its settings or certificates changed",
        ),
        (
            redis.redis,
            node().redis,
            "Write Redis's redis.conf",
            "Keep Redis running",
            "Restart Redis when its settings changed",
        ),
    ],
)
def test_it_reloads_when_a_file_changed_and_never_right_after_its_start(operations, case):
    deploy, wanted, file, start, reload = case
    operations.read(deploy, wanted)

    assert not operations[reload].runs
    operations.changed = {file}
    assert operations[reload].runs
    operations.changed = {file, start}
    assert not operations[reload].runs
    names = [operation.name for operation in operations.all]
    assert names.index(file) < names.index(start) < names.index(reload)


def test_keepalived_follows_patroni_and_decides_nothing(operations):
    text = (
        operations.read(keepalived.keepalived, node().keepalived)
        .written("/etc/keepalived/keepalived.conf")
        .text
    )

    assert "weight 0" in text
    assert "init_fail" in text
    assert "    unicast_peer {\n        192.168.15.121\n        192.168.15.122\n    }\n" in text
    assert "192.168.15.210/24 dev eth0" in text


def settings_of_patroni(operations, **more):
    operations.read(patroni.patroni, node(**more).patroni)
    return yaml.safe_load(operations.written("/etc/patroni/config.yml").text)


def test_patroni_loses_nothing_that_was_acknowledged(operations):
    dynamic = settings_of_patroni(operations)["bootstrap"]["dcs"]

    assert dynamic["synchronous_mode"] == "quorum"
    assert dynamic["synchronous_mode_strict"] is True
    assert dynamic["failsafe_mode"] is True
    assert dynamic["postgresql"]["use_pg_rewind"] is True
    assert "primary_stop_timeout" not in dynamic


def test_postgresql_is_closed_to_whoever_is_not_named(operations):
    rules = settings_of_patroni(operations)["postgresql"]["pg_hba"]
    over_network = [rule.split() for rule in rules if rule.startswith("host")]

    for kind, _, users, address, method in over_network:
        assert method in ("scram-sha-256", "reject")
        assert kind == "hostssl" or address == "127.0.0.1/32"
        assert address.startswith(("192.168.15.1", "127."))
        assert "postgres" not in users.split(",") or method == "reject"


def test_no_two_machines_differ_in_what_a_standby_must_have(operations):
    small = {"memory_mib": 2048, "cores": 2, "disk_gib": 50}
    members = {
        "db-node1": {"address": "192.168.15.120", "priority": 100, "size": {**small, "cores": 16}},
        "db-node2": {"address": "192.168.15.121", "priority": 90, "size": small},
    }
    one = settings_of_patroni(operations, members=members)["bootstrap"]["dcs"]
    operations.all.clear()
    other = settings_of_patroni(operations, members=members, name="db-node2")["bootstrap"]["dcs"]

    assert one == other
    assert one["postgresql"]["parameters"]["max_worker_processes"] == 16


def test_settings_in_etcd_are_changed_only_where_they_differ():
    said = {"ttl": 20, "postgresql": {"parameters": {"a": 1}, "use_slots": True}, "more": 1}

    assert patroni.holds(said, {"ttl": 20, "postgresql": {"parameters": {"a": 1}}})
    assert not patroni.holds(said, {"postgresql": {"parameters": {"a": 2}}})
    assert not patroni.holds(said, {"postgresql": {"missing": {"a": 2}}})


def test_etcd_wants_a_certificate_of_everybody_and_stays_small(operations):
    text = operations.read(etcd.etcd, node().etcd).written("/etc/default/etcd").text

    for setting in ("CLIENT_CERT_AUTH", "PEER_CLIENT_CERT_AUTH"):
        assert f'ETCD_{setting}="true"' in text
    assert 'ETCD_AUTO_COMPACTION_RETENTION="1h"' in text
    assert "0.0.0.0" not in text  # noqa: S104 - that it is not there


def test_members_defragment_at_times_of_their_own(operations):
    at = []
    for name in ("db-node1", "db-node2", "db-node3"):
        operations.all.clear()
        operations.read(etcd.etcd, node(name=name).etcd)
        text = operations.written("/etc/systemd/system/etcd-defragment.timer").text
        at += [line for line in text.splitlines() if line.startswith("OnCalendar")]

    assert len(set(at)) == 3


def test_the_pooler_asks_for_secrets_and_keeps_but_its_own(operations):
    operations.read(pgbouncer.pgbouncer, node().pgbouncer)

    assert operations.written("/etc/pgbouncer/userlist.txt").text == (
        '"pooler" "canary-pooler"\n"pooler_2" "canary-other-pooler"\n'
    )
    text = operations.written("/etc/pgbouncer/pgbouncer.ini").text
    assert "pool_mode = transaction" in text
    assert "client_tls_sslmode = require" in text
    assert "canary" not in text


def test_redis_knows_no_password_but_that_of_its_copies(operations):
    operations.read(redis.redis, node().redis)

    assert "canary" not in operations.written("/etc/redis/users.acl").text
    assert "user default off" in operations.written("/etc/redis/users.acl").text
    assert "maxmemory 128mb" in operations.written("/etc/redis/redis.conf").text


def test_every_command_of_the_backups_ends_by_itself(operations):
    wanted = node().pgbackrest
    operations.read(pgbackrest.pgbackrest, wanted)

    script = operations.written("/usr/local/bin/database-backup").text
    commands = [line for line in script.splitlines() if "pgbackrest $stanza" in line]
    assert commands
    assert all("timeout " in line for line in commands)
    assert pgbackrest.archive_command("cold").startswith("timeout ")
    assert pgbackrest.restore_command("cold").startswith("timeout ")


def test_roles_are_made_once_by_who_leads(operations, monkeypatch):
    operations.read(roles.roles, node().roles)
    run = operations["Have the roles and databases"]
    digest = run.told["commands"][0].split("digest='")[1].split("'")[0]
    said = {"answer": ""}
    monkeypatch.setattr(roles, "host", type("Host", (), {"get_fact": lambda *_: said["answer"]})())

    assert not run.runs, "a standby says nothing"
    said["answer"] = "nothing"
    assert run.runs
    said["answer"] = digest
    assert not run.runs
    assert "canary" not in run.told["commands"][0]


def test_a_new_password_is_another_script(operations):
    wanted = node(databases=[{"name": "a", "owner": "b", "password": pair("new-word")}]).roles
    operations.read(roles.roles, node().roles)
    first = operations["Have the roles and databases"].told["commands"]
    operations.all.clear()

    assert (
        operations.read(roles.roles, wanted)["Have the roles and databases"].told["commands"]
        != first
    )


@pytest.mark.parametrize(
    ("content", "formats", "refuses"),
    [
        ("blank", True, False),
        ("data ext4", False, False),
        ("ext4 data", False, False),
        ("ext4 other", False, True),
        ("xfs", False, True),
        ("unknown", False, True),
        ("missing", False, True),
    ],
)
def test_a_disk_is_formatted_only_if_it_is_blank(
    operations, monkeypatch, content, formats, refuses
):
    monkeypatch.setattr(disks, "host", type("Host", (), {"get_fact": lambda *_, **__: content})())
    operations.read(data_disk, node().disk)
    device = node().data_disk

    assert operations[f"Format {device}, which is blank"].runs is formats
    assert operations[f"Refuse {device} unless it is blank or ours"].runs is refuses


def test_the_firewall_is_closed_and_says_why_it_opens(operations):
    text = (
        operations.read(firewall.firewall, firewall.Firewall(openings=node().base.openings))
        .all[0]
        .text
    )

    assert "policy drop" in text
    assert (
        "tcp dport { 2379, 2380, 2382 } ip saddr { 192.168.15.121/32, 192.168.15.122/32 }"
        ' accept comment "etcd"'
    ) in text
    assert "ip protocol 112 ip saddr { 192.168.15.121/32, 192.168.15.122/32 } accept" in text


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"ports": ()}, "ports: name at least one"),
        ({"protocol": "vrrp", "ports": (1,)}, "ports: vrrp has none"),
        ({"ports": (70000,)}, "ports: must be 1-65535, got 70000"),
        ({"sources": (), "ports": (1,)}, "sources: name at least one"),
        ({"what": 'a"', "ports": (1,)}, "what: must be one line without quotes"),
    ],
)
def test_an_opening_that_says_nothing_is_refused(more, fault):
    with pytest.raises(ValueError, match=fault.replace("(", r"\(")):
        firewall.Opening(**{"what": "x", "sources": node().clients, **more})


def test_rules_that_the_kernel_refuses_are_never_loaded(operations):
    operations.read(firewall.firewall, firewall.Firewall(openings=()))
    names = [operation.name for operation in operations.all]

    check = "Refuse rules that the kernel would not take"
    assert names.index(check) < names.index("Keep the firewall on")
    assert names.index(check) < names.index("Load the rules of the firewall")


def test_operators_are_never_banned(operations):
    operations.read(ssh_server, SshServer(operators=node().operators))

    text = operations.written("/etc/ssh/sshd_config.d/10-platform.conf").text
    assert "PerSourcePenaltyExemptList 192.168.15.0/28" in text
    assert "PasswordAuthentication no" in text


def test_packages_start_nothing_of_ours(operations):
    operations.read(packages.packages, packages.Packages(names=("a",), ours=("etcd",)))

    assert operations.all[0].told["dest"] == "/usr/sbin/policy-rc.d"
    assert "etcd) exit 101 ;;" in operations.all[0].text
    assert operations.all[-1].kind == "apt.packages"


def test_nothing_is_done_before_the_first_boot_has_finished(operations):
    operations.read(first_boot, node().base)

    assert operations.all[0].told["commands"] == [
        "cloud-init status --wait >/dev/null || [ $? -eq 2 ]"
    ]


@pytest.mark.parametrize(
    "template",
    [t.name for t in TEMPLATES.glob("*.j2") if "Restart=always" in t.read_text()],
)
def test_systemd_never_gives_up_on_what_must_always_run(template):
    assert "StartLimitIntervalSec=0" in (TEMPLATES / template).read_text()


def test_new_secrets_reach_a_running_redis_and_end_no_connection(operations):
    operations.changed = {"Write Redis's users.acl"}
    operations.read(redis.redis, node().redis)

    assert operations["Have Redis take its secrets without ending a connection"].runs
    assert not operations["Restart Redis when its settings changed"].runs
    assert "ACL SETUSER application reset on #" in operations.written("/etc/redis/live.redis").text
