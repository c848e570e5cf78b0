"""Machines at Hetzner, as the engine is asked for them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from components.machines import HetznerMachinesArgs
from components.sections import Environment
from tests.components.machines.programs import DOCFAST, SERVER, program

PROTECTED = replace(DOCFAST, environment=Environment(domain="docfast.dev", protect_data=True))


def test_nothing_lands_on_a_default_provider(docfast):
    made = [r for r in docfast.resources if r.custom and not r.type.startswith("pulumi:")]

    assert {(r.type.split(":")[0], r.provider) for r in made} == {
        ("hcloud", "hetzner"),
        ("tls", "tls"),
    }


def test_a_server_is_what_the_stack_file_says(docfast):
    inputs = docfast.named("machines-k3s-w1-server").inputs

    assert inputs["name"] == "k3s-w1"
    assert inputs["serverType"] == "cax11"
    assert inputs["location"] == "nbg1"
    assert inputs["labels"] == {"stack": "coldstorage-docfast", "role": "k3s-agent"}
    assert [n["ip"] for n in inputs["networks"]] == ["10.0.1.6"]


def test_a_server_joins_a_network_that_has_a_subnet(docfast):
    servers = docfast.of_type(SERVER)

    assert all("machines-network-subnet" in s.dependencies for s in servers.values())


def test_its_first_boot_makes_the_user_and_lets_the_stack_in(docfast):
    data = docfast.named("machines-k3s-w1-server").inputs["userData"]
    header, document = data.split("\n", 1)

    assert header == "#cloud-config"
    (user,) = json.loads(document)["users"]
    assert user["name"] == DOCFAST.access.user
    assert user["ssh_authorized_keys"] == ["ssh-ed25519 AAAA machines-key"]


def test_members_of_a_quorum_are_kept_apart(docfast):
    groups = docfast.of_type("hcloud:index/placementGroup:PlacementGroup")

    assert {g.inputs["name"]: g.inputs["type"] for g in groups.values()} == {
        "coldstorage-docfast-k3s-server": "spread",
        "coldstorage-docfast-database": "spread",
    }
    grouped = {
        name for name, s in docfast.of_type(SERVER).items() if "placementGroupId" in s.inputs
    }
    assert grouped == {"machines-k3s-mgr-server", "machines-db-1-server"}


def test_only_operators_reach_ssh_and_the_kubernetes_api(docfast):
    rules = docfast.named("machines-network-firewall").inputs["rules"]

    assert {(r["protocol"], r.get("port"), *r["sourceIps"]) for r in rules} == {
        ("tcp", "22", "203.0.113.0/24"),
        ("tcp", "6443", "203.0.113.0/24"),
        ("icmp", None, "0.0.0.0/0"),
    }


def test_the_world_comes_in_by_the_load_balancer_alone(docfast):
    services = docfast.of_type("hcloud:index/loadBalancerService:LoadBalancerService")
    target = docfast.named("machines-balancer-target")

    assert {s.inputs["listenPort"] for s in services.values()} == {80, 443}
    assert target.inputs["labelSelector"] == "stack=coldstorage-docfast,role=k3s-agent"
    assert target.inputs["usePrivateIp"] is True
    assert "machines-balancer-network" in target.dependencies


def test_health_is_checked_as_the_stack_file_says(docfast):
    check = docfast.named("machines-balancer-port-443").inputs["healthCheck"]

    assert check == {"protocol": "tcp", "port": 443, "interval": 15, "timeout": 10, "retries": 3}


def test_a_stack_without_a_load_balancer_has_none(deploy):
    without = replace(DOCFAST, hetzner=DOCFAST.hetzner.model_copy(update={"load_balancer": None}))

    def look(machines):
        assert machines.public_address is None

    names = {r.type for r in deploy(program(without, look)).resources}
    assert not [n for n in names if "loadBalancer" in n]


@pytest.mark.parametrize(("settings", "expected"), [(PROTECTED, True), (DOCFAST, False)])
def test_members_of_something_are_protected_and_agents_are_not(deploy, settings, expected):
    deployed = deploy(program(settings))
    protected = {
        name: (s.protected, s.inputs["deleteProtection"], s.inputs["rebuildProtection"])
        for name, s in deployed.of_type(SERVER).items()
    }

    assert protected["machines-k3s-mgr-server"] == (expected,) * 3
    assert protected["machines-db-1-server"] == (expected,) * 3
    assert protected["machines-k3s-w1-server"] == (False,) * 3


def test_later_code_knows_machines_without_knowing_hetzner(deploy):
    def look(machines):
        database = machines.machines["db-1"]
        assert str(database.address) == "10.0.1.8"
        assert database.failure_domain == "nbg1"
        return {"host": database.connection.host, "disk": database.data_disk}

    assert deploy(program(DOCFAST, look)).result == {
        "host": "198.51.100.1",
        "disk": "/dev/disk/by-id/scsi-0HC_Volume_1",
    }


def test_a_machine_without_a_place_is_refused_by_name():
    homeless = {"db-1": DOCFAST.machines["db-1"].model_copy(update={"hetzner": None})}

    with pytest.raises(ValueError, match="db-1"):
        HetznerMachinesArgs(
            owner="coldstorage-docfast",
            machines=homeless,
            hetzner=DOCFAST.hetzner,
            network=DOCFAST.network,
            access=DOCFAST.access,
            protect_data=False,
        )
