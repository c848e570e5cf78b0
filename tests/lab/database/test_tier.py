"""The database tier on real machines, from nothing to a machine that is replaced."""

from __future__ import annotations

import stat

import pytest

from pulumi_pyinfra.protocol import Answered, Fault
from tests.lab.machines.conftest import DATA, SSH_SECONDS

from .proof import members_of_etcd
from .tier import PASSWORDS, VIRTUAL, changes, failed

FIGURES = {
    "node_filesystem_avail_bytes", "node_network_address_info",
    "pg_stat_activity_count", "pg_settings_max_connections",
    "patroni_primary", "patroni_postgres_running", "patroni_sync_standby",
    "patroni_quorum_standby", "patroni_xlog_location", "patroni_is_paused",
    "patroni_xlog_replayed_location",
    "etcd_server_has_leader", "etcd_disk_wal_fsync_duration_seconds_bucket",
}  # fmt: skip

pytestmark = [pytest.mark.machines, pytest.mark.database]


def test_a_plan_for_fresh_machines_names_what_would_be_done_and_does_nothing(fresh):
    events = fresh.ask(fresh.request("plan", "database"))

    assert not failed(events)
    for told in changes(events).values():
        assert "Packages | Install packages" in told
        assert f"Data disk | Format {DATA}, which is blank" in told
        assert "etcd | Join the cluster, or found it" in told
    for machine in fresh.machines:
        assert "etcd" not in machine.ssh("ls /etc /usr/bin")


def test_a_wrong_argument_is_named_before_anything_runs(fresh):
    own = {"virtual_address": "10.0.0.1/24", "operator": []}
    told = fresh.ask(fresh.request("check", "database", own=own))

    paths = {fault.path for fault in told if isinstance(fault, Fault)}
    assert "operator" in paths


def test_it_comes_up_one_machine_after_the_other_and_each_is_well(fresh):
    for name in fresh.names:
        fresh.apply(name)
        assert not failed(fresh.ask(fresh.request("probe", "healthy", name)))

    assert set(members_of_etcd(fresh, "db-node1").values()) == {"votes"}
    assert len(members_of_etcd(fresh, "db-node1")) == 3
    assert fresh.leader() == "db-node1"


def test_a_second_run_changes_nothing(tier):
    assert changes(tier.apply()) == {}
    assert changes(tier.ask(tier.request("plan", "database"))) == {}


def test_who_leads_says_so_and_holds_the_address(tier):
    answers = tier.ask(tier.request("ask", "leads"))
    leading = {e.host for e in answers if isinstance(e, Answered) and e.yes}
    holding = {m.name for m in tier.machines if f" {VIRTUAL}/" in m.ssh("ip -4 address")}

    assert leading == holding == {tier.leader()}


def test_the_figures_that_alerts_are_made_of_are_told_to_who_may_ask(tier):
    leader = tier.leader()
    for name in tier.names:
        address = tier.machine(name).args.address.ip
        ask = f"curl --silent --fail --cacert /etc/ssl/certs/platform-ca.pem https://{address}"
        told = tier.machine(name).ssh(
            f"{ask}:9100/metrics; {ask}:9187/metrics; {ask}:8008/metrics;"
            f"curl --silent --fail http://{address}:2381/metrics"
        )
        lines = [line for line in told.splitlines() if not line.startswith("#")]
        metrics = {line.partition("{")[0].partition(" ")[0] for line in lines}
        missing = FIGURES - metrics
        assert not missing, (name, missing)
        held = [line for line in lines if VIRTUAL in line and "address_info" in line]
        assert len(held) == (name == leader)
        assert "pg_up 1" in lines


def test_redis_is_written_where_the_address_is_and_copied_to_all_others(tier):
    script = f"export REDISCLI_AUTH={PASSWORDS['redis']}; redis-cli --user application -h {{}} {{}}"
    leader = tier.machine(tier.leader())

    assert leader.ssh(script.format("127.0.0.1", "set room 7")).strip() == "OK"
    for machine in tier.machines:
        read = f'until [ "$({script.format("127.0.0.1", "get room")})" = 7 ]; do sleep 0.1; done'
        machine.ssh(f"timeout 10 sh -c '{read}'")
        if machine.name != leader.name:
            assert "READONLY" in machine.ssh(script.format("127.0.0.1", "set room 8"))


def test_the_firewall_lets_nobody_in_who_is_not_named(tier):
    outsider = tier.lab.started("k3s-node2")
    address = tier.machine("db-node1").args.address.ip
    knock = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    for port in (5432, 6432, 6379, 2379, 2380, 2381, 8008, 9100, 9187, 22):
        said = outsider.ssh(f"python3 -c '{knock}' {address} {port} 2>&1 || echo refused")
        assert "refused" in said, port
    outsider.delete()


def test_no_secret_is_in_a_file_that_others_may_read_or_in_a_process(tier):
    secrets = [*tier.words(), "PRIVATE KEY"]
    pattern = "|".join(secrets)
    find = f"grep -rlE '{pattern}' /etc /usr/local /var/lib/etcd /var/log /run 2>/dev/null || true"
    for machine in tier.machines:
        for file in machine.ssh(find).split():
            mode = int(machine.ssh(f"stat -c %a {file}"), 8)
            folder_mode = int(machine.ssh(f"stat -c %a $(dirname {file})"), 8)
            assert not (mode & stat.S_IROTH and folder_mode & stat.S_IXOTH), file
        processes = machine.ssh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
        assert not [secret for secret in secrets if secret in processes]


def test_a_file_that_somebody_edited_is_seen_and_mended(tier):
    tier.machine("db-node2").ssh("echo '# by hand' >>/etc/pgbouncer/pgbouncer.ini")

    seen = changes(tier.ask(tier.request("plan", "database")))
    mended = changes(tier.apply())

    assert seen == mended
    assert set(seen) == {"db-node2"}


def test_a_disk_that_holds_something_is_never_formatted(tier):
    volume = tier.lab.volume("foreign", 0.1, formatted=True)
    before = volume.file.read_bytes()
    machine = tier.lab.started("k3s-node3", disks={DATA: volume.file})
    assert machine.ssh(f"blkid {DATA}")
    tier.lab.machines["db-node9"] = machine
    request = tier.request("apply", "hosts.data_disk:data_disk", "db-node1")
    host = request.hosts[0]
    told = {"device": DATA, "mount": "/srv/data"}
    ssh = tier.ssh_to(machine)

    events = tier.ask(
        type(request)(
            action=request.action,
            deploy=request.deploy,
            path=request.path,
            hosts=(type(host)(name="other", arguments=told, ssh=ssh),),
        )
    )

    assert any("holds something else" in told for told in failed(events))
    machine.power_off()
    assert volume.file.read_bytes()[:4096] == before[:4096]
    machine.delete()


def test_a_machine_leaves_only_if_the_others_can_do_without_it_and_may_come_back(tier):
    leader = tier.leader()
    others = [name for name in tier.names if name != leader]
    tier.apply(leader, deploy="hosts.leaving:leave", own={"others": others})

    assert set(members_of_etcd(tier, others[0])) == set(others)
    assert tier.becomes(lambda: set(tier.patroni_on(others[0])) == set(others), 30)

    tier.machine(others[1]).execute("systemctl", "stop", "etcd", "patroni")
    refused = tier.ask(
        tier.request("apply", "hosts.leaving:leave", others[0], own={"others": [others[1]]})
    )
    assert failed(refused)
    tier.machine(others[1]).execute("systemctl", "start", "--no-block", "etcd", "patroni")

    tier.apply()
    assert set(members_of_etcd(tier, leader)) == set(tier.names)


def test_a_replaced_machine_of_the_same_name_takes_its_place_again(tier):
    name = next(name for name in tier.names if name != tier.leader())
    old = tier.machine(name)
    data, packages = dict(old.args.disks), old.args.packages
    old.delete()
    new = tier.lab.machine(name, packages=packages, disks=data)
    new.boot()
    new.wait_for_ssh(SSH_SECONDS)

    tier.apply(name)

    assert members_of_etcd(tier, name) == dict.fromkeys(tier.names, "votes")
    assert tier.becomes(lambda: tier.patroni()[name]["State"] == "streaming", 30)
