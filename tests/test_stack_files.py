"""The two environments: one shape, the figures of the platform's description, one host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import jsonschema
import pytest
import yaml

from components import schema
from components.settings import PROJECT as ROOT
from ops.stack_files import STACKS, settings_of
from tests.components.stack_cases import HERE, stack_file

# VM id, name, address, cores, memory (GiB), system disk (GiB), role, VRRP priority.
TESTING = """
    210 k3s-node1 192.168.15.110 4 12 100 k3s-server -
    211 k3s-node2 192.168.15.111 4 12  80 k3s-server -
    212 k3s-node3 192.168.15.112 4 12  80 k3s-server -
    220 db-node1  192.168.15.120 4  8  50 database   100
    221 db-node2  192.168.15.121 2  8  50 database   90
    222 db-node3  192.168.15.122 2  8  50 database   80
"""
PRODUCTION = """
    310 k3s-node1 192.168.15.130 4 12 100 k3s-server -
    311 k3s-node2 192.168.15.131 4 12  80 k3s-server -
    312 k3s-node3 192.168.15.132 4 12  80 k3s-server -
    320 db-node1  192.168.15.140 4  8  50 database   100
    321 db-node2  192.168.15.141 2  8  50 database   90
    322 db-node3  192.168.15.142 2  8  50 database   80
"""
MACHINES = {"testing": TESTING, "production": PRODUCTION}
SAME = {
    "platform": "proxmox",
    "proxmox.endpoint": "https://192.168.15.96:8006/",
    "proxmox.nodes.pve.cores": 80,
    "proxmox.nodes.pve.memory_gib": 125.5,
    "proxmox.bridge": "vmbr0",
    "proxmox.storage.name": "hdd",
    "network.cidr": "192.168.15.0/24",
    "network.gateway": "192.168.15.1",
    "network.dns": ["8.8.8.8"],
    "kubernetes.version": "v1.33.6+k3s1",
    "database.version": 17,
    "database.name": "cold_db",
    "database.owner": "cold_user",
    "database.port": 5432,
    "database.fallback": ["192.168.15.195", "localhost"],
    "redis.port": 6379,
    "redis.memory_mib": 128,
    "redis.eviction": "allkeys-lru",
    "redis.ttl_seconds": {"room_stats": 300, "floor_data": 300, "logins": 900},
    "cloudflare.tunnel.connectors": 3,
    "application.image": "cold-backend:v1.5.173",
    "application.employee.port": 8080,
    "application.customer.port": 8081,
    "monitoring.dashboard_path": "/infrastructure",
    "backups.full_at": "02:00",
    "backups.incremental_every_hours": 6,
    "backups.retention_days": 30,
    "share.enabled": False,
    "share.server": "192.168.15.52",
    "share.export": "coman",
    "share.size_tb": 24,
    "share.mount": "/mnt/data/coman",
}
OWN = {
    "testing": {
        "environment.domain": "ailakshya.in",
        "environment.protect_data": False,
        "network.application_address": "192.168.15.200",
        "network.database_address": "192.168.15.210",
        "backups.bucket": "cold-db-backups-testing",
        "kubernetes.snapshots.bucket": "cold-k3s-snapshots-testing",
    },
    "production": {
        "environment.domain": "gurukripacoldstore.in",
        "environment.protect_data": True,
        "network.application_address": "192.168.15.201",
        "network.database_address": "192.168.15.211",
        "backups.bucket": "cold-db-backups",
        "kubernetes.snapshots.bucket": "cold-k3s-snapshots",
    },
}


def paths(value: object, path: str = "") -> Iterator[str]:
    """Yield every key of a file, with the keys above it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (f"{path}/{name}", *paths(inner, f"{path}/{name}"))


def written(stack: str) -> dict[str, object]:
    return dict(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()))


def without_secrets(stack: str) -> set[str]:
    """Return the keys of a file but for what `make secrets` adds to one environment first."""
    return {
        path
        for path in paths(written(stack))
        if not path.endswith(
            ("_api_token", "hcloud_token", "_fencing_token", "/secure", "/encryptionsalt")
        )
    }


def at(stack: str, path: str) -> object:
    value: object = stack_file(stack)
    for step in path.split("."):
        value = value[step]
    return value


def test_there_are_two_environments():
    assert STACKS == ("production", "testing")


def test_the_environments_have_the_same_keys_and_machines():
    assert without_secrets("testing") == without_secrets("production")


@pytest.mark.parametrize("stack", STACKS)
def test_the_machines_are_those_of_the_description(stack):
    found = [
        [on.vm_id, name, m.address, on.cores, on.memory_gib, on.disk_gib, m.role, m.priority or "-"]
        for name, m in settings_of(stack).machines.items()
        for on in [m.proxmox]
    ]

    expected = [line.split() for line in MACHINES[stack].strip().splitlines()]
    assert [[str(value) for value in row] for row in found] == expected


@pytest.mark.parametrize("stack", STACKS)
def test_the_figures_are_those_of_the_description(stack):
    expected = SAME | OWN[stack]

    assert {path: at(stack, path) for path in expected} == expected


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_valid_beside_the_other_and_warns_of_the_one_host_only(stack):
    warned = [str(warning) for warning in settings_of(stack).warnings]

    assert len(warned) == 2
    assert "pve holds 3 of 3 k3s-server machines" in warned[0]
    assert "pve holds 3 of 3 database machines" in warned[1]


def test_both_environments_together_fit_the_host():
    stacks = [settings_of(stack) for stack in STACKS]
    needed = sum(m.proxmox.memory_gib for stack in stacks for m in stack.machines.values())

    assert needed == 120
    for stack in stacks:
        host = stack.proxmox.nodes["pve"]
        assert needed + stack.proxmox.reserved_memory_gib <= host.memory_gib == 125.5


def test_the_schema_for_editors_is_the_one_that_the_models_make():
    assert (ROOT / "docs/stack.schema.json").read_text() == schema.text(), "run `make generated`"


def validator() -> jsonschema.Draft202012Validator:
    made = schema.stack_schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_is_valid_in_an_editor_that_it_names_the_schema_to(stack):
    head = (ROOT / f"Pulumi.{stack}.yaml").read_text().splitlines()[0]

    assert head == "# yaml-language-server: $schema=docs/stack.schema.json"
    validator().validate(written(stack))


@pytest.mark.parametrize("path", sorted((HERE / "systems").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_other_systems_are_valid_in_an_editor_too(path):
    validator().validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("coldstorage:databas", {}),
        ("coldstorage:database", {"port": "5432"}),
        ("coldstorage:redis", {"evicton": "allkeys-lru"}),
        ("coldstorage:backups", {"full_at": "25:00"}),
        ("coldstorage:machines", {"DB_1": {"role": "database", "address": "192.168.15.123"}}),
        ("coldstorage:cloudflare_api_token", {"plain": "text"}),
        ("pulumi:disable-default-providers", None),
    ],
)
def test_an_editor_underlines_what_the_program_would_refuse(section, change):
    file = json.loads(json.dumps(written("testing")))
    was = file["config"].get(section)
    file["config"][section] = was | change if isinstance(was, dict) else change

    with pytest.raises(jsonschema.ValidationError):
        validator().validate(file)


def test_what_make_secrets_writes_is_valid_in_an_editor():
    file = written("testing") | {"encryptionsalt": "v1:abc"}
    file["config"]["coldstorage:proxmox_api_token"] = {"secure": "v1:abc"}

    validator().validate(file)
