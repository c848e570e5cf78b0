"""The database tier, as the engine is asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve
import pulumi_random as random
import pulumi_tls as tls
import pytest

from components.cloudflare import backup_bucket_of
from components.cloudflare import resources as cloudflare
from components.database_of_stack import connection_of, database_of, size_of
from components.generated_secrets import GeneratedSecrets
from components.machines import machines_of
from components.settings import Settings
from components.tokens import Tokens
from hosts.database_node import DatabaseNode
from hosts.leaving import Leaving
from pulumi_pyinfra import typed
from tests.components.machines.programs import DOCFAST, PRODUCTION, TESTING
from tests.components.machines.programs import program as machines_alone
from tests.recording import Deployment, run

DEPLOY = "pyinfra:index:Deploy"
NODES = {"db-node1", "db-node2", "db-node3"}
FENCING_TOKEN = "fencing@pve!database=canary"
PEM = "-----BEGIN CERTIFICATE-----\n{}"


def program(settings: Settings, fencing_token: str | None = None):
    """Return the program of a stack's machines and its database tier."""

    def tier() -> Any:
        token = pulumi.Output.secret("token")
        options = pulumi.ResourceOptions(
            providers=[
                proxmoxve.Provider("proxmox", endpoint="https://example.org", api_token=token),
                pulumi.ProviderResource("pyinfra", "pyinfra", {}),
                random.Provider("random"),
                tls.Provider("tls"),
                cloudflare.provider("token", "https://example.org"),
            ]
        )
        machines = machines_of(settings, Tokens(), options)
        secrets = GeneratedSecrets("secrets", options)
        bucket = backup_bucket_of(settings, options)
        fencing = pulumi.Output.secret(fencing_token) if fencing_token else None
        return connection_of(
            database_of(settings, machines, secrets, bucket, options, fencing_token=fencing)
        )

    return tier


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    return run(program(TESTING))


@pytest.fixture(scope="module")
def wanted(deployed) -> Any:
    return deployed.named("database-deploy").inputs


def contract(wanted: Any, host: str, of: type = DatabaseNode, **more: Any) -> typed.Reading:
    """Read what one machine is told as the provider reads it, certificates made to look it."""
    own = wanted["hosts"][host]["arguments"]
    identity = {key: PEM.format(value) for key, value in own["identity"].items()}
    # No secret needs quotes; what the recording engine draws has spaces.
    secrets = {key: _words(pair) for key, pair in wanted["arguments"]["passwords"].items()}
    (database,) = wanted["arguments"]["databases"]
    backups = wanted["arguments"]["backups"]
    told = {
        **wanted["arguments"],
        "passwords": secrets,
        "backups": {**backups, "passphrase": _words(backups["passphrase"])},
        "databases": [{**database, "password": _words(database["password"])}],
        **own,
        "identity": identity,
        **more,
    }
    return typed.read(of, told)


def _words(pair: dict[str, str]) -> dict[str, str]:
    return {which: word.replace(" ", "-") for which, word in pair.items()}


def test_the_machines_of_the_role_are_its_members_and_its_hosts(wanted):
    assert wanted["hosts"].keys() == NODES
    for host in wanted["hosts"].values():
        assert host["arguments"]["members"].keys() == NODES


@pytest.mark.parametrize("host", sorted(NODES))
def test_the_contract_takes_what_each_machine_is_told(wanted, host):
    reading = contract(wanted, host)

    assert not reading.faults
    assert not reading.unknown
    assert reading.value.name == host
    assert reading.value.me.priority == TESTING.machines[host].priority


def test_a_machine_that_leaves_is_still_told_of_itself(wanted):
    """The provider tells it what it was told before, with what all others are told now."""
    machines = {n: m for n, m in TESTING.machines.items() if n != "db-node3"}
    left = run(program(replace(TESTING, machines=machines))).named("database-deploy").inputs
    now = {**wanted, "arguments": left["arguments"]}

    reading = contract(now, "db-node3", of=Leaving, others=["db-node1", "db-node2"])

    assert not reading.faults
    assert "db-node3" in reading.value.members


def test_what_the_stack_file_says_reaches_the_machines(wanted):
    node = contract(wanted, "db-node2").value

    assert str(node.virtual_address) == "192.168.15.210/24"
    assert node.router_id == 210
    assert node.pooler_port == 6432
    assert node.data_disk == "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"
    assert {str(network) for network in node.clients} == {
        f"192.168.15.{number}/32" for number in (110, 111, 112)
    }
    assert [str(network) for network in node.operators] == ["192.168.15.0/24"]
    assert (node.cache.memory_mib, node.cache.eviction) == (128, "allkeys-lru")
    assert (node.databases[0].name, node.databases[0].owner) == ("cold_db", "cold_user")


def test_nobody_is_fenced_without_a_token_or_a_word_in_the_stack_file(wanted):
    assert "fenced" not in wanted["arguments"]

    database = TESTING.database.model_copy(update={"fencing": None})
    without = run(program(replace(TESTING, database=database), FENCING_TOKEN))
    assert "fenced" not in without.named("database-deploy").inputs["arguments"]


def test_with_a_token_each_machine_can_take_the_power_of_the_others(wanted):
    pinned = TESTING.proxmox.model_copy(update={"fingerprint": ":".join(["AB"] * 32)})
    fenced = run(program(replace(TESTING, proxmox=pinned), FENCING_TOKEN))
    told = fenced.named("database-deploy").inputs["arguments"]["fenced"]

    reading = contract(wanted, "db-node2", fenced=told)
    assert not reading.faults
    assert not reading.unknown
    fencing = reading.value.fencing
    assert {name: vm.vm_id for name, vm in fencing.hypervisor.machines.items()} == {
        "db-node1": 220, "db-node2": 221, "db-node3": 222,
    }  # fmt: skip
    assert fencing.silent_seconds == 3
    assert str(TESTING.proxmox.endpoint) == fencing.hypervisor.endpoint


def test_sizes_are_those_of_the_machines_with_the_disk_of_the_data(wanted):
    sizes = {name: m.size for name, m in contract(wanted, "db-node1").value.members.items()}

    assert sizes["db-node1"] == size_of(TESTING.machines["db-node1"])
    assert (sizes["db-node1"].cores, sizes["db-node2"].cores) == (4, 2)
    assert {(size.memory_mib, size.disk_gib) for size in sizes.values()} == {(8192, 50)}
    larger = TESTING.machines["db-node1"].model_copy(update={"data_disk_gib": 64})
    assert size_of(larger).disk_gib == 64


def test_a_machine_that_is_too_small_is_refused_by_name(wanted):
    own = wanted["hosts"]["db-node1"]["arguments"]
    members = {name: dict(member) for name, member in own["members"].items()}
    members["db-node3"]["size"] = {"memory_mib": 256, "cores": 1, "disk_gib": 10}

    (fault,) = contract(wanted, "db-node1", members=members).faults

    assert "db-node3" in str(fault)
    assert "memory_mib: must be 512-" in str(fault)


def test_each_machine_has_a_certificate_for_its_names_and_the_shared_address(deployed):
    request = deployed.named("database-certificates-db-node2-request").inputs
    certificate = deployed.named("database-certificates-db-node2").inputs

    assert request["dnsNames"] == ["db-node2", "localhost"]
    assert request["ipAddresses"] == ["192.168.15.121", "192.168.15.210", "127.0.0.1"]
    assert {"server_auth", "client_auth"} <= set(certificate["allowedUses"])
    assert certificate["earlyRenewalHours"] < certificate["validityPeriodHours"]


def test_no_password_and_no_key_is_plain(deployed):
    secrets = deployed.named("database-deploy").secrets
    names = ("replication", "rewind", "pooler", "redis", "redis_replication")
    places = {f"arguments.passwords.{name}" for name in names} | {"arguments.databases[0].password"}

    assert {f"{place}.{word}" for place in places for word in ("first", "second")} <= secrets
    assert {"arguments.backups.passphrase.first", "arguments.backups.store.key_secret"} <= secrets
    for host in NODES:
        assert f"hosts.{host}.connector.privateKey" in secrets
        assert f"hosts.{host}.arguments.identity.key" in secrets


def test_a_machine_is_known_by_another_identity_once_it_is_another(wanted):
    identities = {host: told["machine"] for host, told in wanted["hosts"].items()}

    assert identities["db-node1"] == "number of machines-db-node1-identity"
    assert len(set(identities.values())) == len(NODES)


def test_it_waits_for_the_machines_and_their_firewalls(deployed):
    waits_for = deployed.named("database-deploy").dependencies

    assert {f"machines-{host}-vm" for host in NODES} <= waits_for
    assert {f"machines-{host}-firewall-rules" for host in NODES} <= waits_for


def test_the_leader_comes_last_and_whoever_leaves_asks_first(wanted):
    assert wanted["rollout"]["lastIf"] == "hosts.database:leads"
    assert wanted["rollout"]["probe"] == "hosts.database:healthy"
    assert wanted["rollout"]["serial"] == 1
    assert wanted["leave"] == "hosts.leaving:leave"


def test_everything_of_it_is_below_the_component(deployed):
    parents = {r.name: r.parent for r in deployed.resources if r.name.startswith("database")}

    assert parents.pop("database") is None
    assert parents["database-deploy"] == parents["database-certificates"] == "database"
    assert set(parents.values()) == {"database", "database-certificates"}


def test_it_says_how_to_connect_in_the_order_in_which_to_try(deployed):
    said = deployed.result

    assert said["hosts"] == ["192.168.15.210", "192.168.15.195", "localhost"]
    assert (said["port"], said["pooler_port"], said["cache_port"]) == (5432, 6432, 6379)
    assert (said["name"], said["owner"], said["user"]) == ("cold_db", "cold_user", "cold_user")
    assert said["password"] == "password of secrets-database-owner"
    assert said["cache_password"] == "password of secrets-redis"
    first = "certificate of database-certificates-authority"
    assert said["authority"] == f"{first}{first}-second"


def test_a_secret_that_was_rotated_is_told_as_the_second_one():
    database = TESTING.database.model_copy(
        update={"second_secrets": dict.fromkeys(("owner", "redis", "dumps"), True)}
    )
    rotated = run(program(replace(TESTING, database=database)))
    told = rotated.named("database-deploy").inputs["arguments"]

    assert {name for name, pair in told["passwords"].items() if pair["in_use"] == "second"} == {
        "redis"
    }
    assert told["databases"][0]["password"]["in_use"] == "second"
    assert told["backups"]["dumps_for"].endswith("secrets-dumps-second")
    assert rotated.result["user"] == "cold_user_2"
    assert rotated.result["password"] == "password of secrets-database-owner-second"
    assert rotated.result["cache_password"] == "password of secrets-redis-second"


def test_the_authority_that_is_used_signs_and_both_are_trusted():
    database = TESTING.database.model_copy(update={"second_secrets": {"authority": True}})
    rotated = run(program(replace(TESTING, database=database)))

    for host in NODES:
        signed = rotated.named(f"database-certificates-{host}").inputs
        assert signed["caCertPem"] == "certificate of database-certificates-authority-second"
    told = rotated.named("database-deploy").inputs["hosts"]
    (trusted,) = {host["arguments"]["identity"]["authority"] for host in told.values()}
    assert trusted == run(program(TESTING)).result["authority"]


def test_two_environments_differ_in_name_address_and_members():
    wanted = run(program(PRODUCTION), stack="production").named("database-deploy").inputs

    assert wanted["arguments"]["cluster"] == "coldstorage-production"
    assert wanted["arguments"]["virtual_address"] == "192.168.15.211/24"
    own = wanted["hosts"]["db-node1"]["arguments"]
    assert own["members"]["db-node1"]["address"] == "192.168.15.140"


def test_a_stack_without_database_machines_has_none():
    machines = {n: m for n, m in TESTING.machines.items() if n not in NODES}
    alone = replace(TESTING, machines=machines, database=None, redis=None)

    deployed = run(program(alone))

    assert deployed.result is None
    assert not deployed.of_type(DEPLOY)


def test_at_hetzner_it_is_left_out_and_said_so(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    network = DOCFAST.network.model_copy(update={"database_address": "10.0.1.9"})
    settings = replace(DOCFAST, network=network)

    def tier() -> Any:
        own = pulumi.ResourceOptions(
            providers=[
                random.Provider("random"),
                tls.Provider("tls"),
                cloudflare.provider("token", "https://x"),
            ]
        )
        secrets = GeneratedSecrets("secrets", own)
        bucket = backup_bucket_of(settings, own)
        made = machines_alone(settings, lambda m: database_of(settings, m, secrets, bucket, own))()
        return str(made)

    deployed = run(tier, stack="docfast")

    assert deployed.result == "None"
    assert not deployed.of_type(DEPLOY)
    assert ["layer 2" in text for text in said] == [True]
