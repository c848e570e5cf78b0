"""Machines on Proxmox, as the engine is asked for them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pulumi
import pytest

from components.machines import ProxmoxMachinesArgs
from components.machines.of_stack import owner_of
from components.machines.proxmox import image_file
from components.machines.proxmox_machine import mac_address
from components.sections import Role
from tests.components.machines.programs import PRODUCTION, TESTING, VM, program

MACHINES = {"k3s-node1", "k3s-node2", "k3s-node3", "db-node1", "db-node2", "db-node3"}


def vm(deployed, host):
    return deployed.named(f"machines-{host}-vm")


def test_each_machine_is_a_component_that_holds_all_that_is_its_own(testing):
    held = {r.name for r in testing.resources if r.parent == "machines-db-node1"}
    assert held == {f"machines-db-node1-{part}" for part in ("data", "vm", "identity", "firewall")}
    components = {r.name for r in testing.resources if r.type.endswith(":ProxmoxMachine")}
    assert components == {f"machines-{host}" for host in MACHINES}


def test_nothing_lands_on_a_default_provider(testing):
    made = [r for r in testing.resources if r.custom and not r.type.startswith("pulumi:")]

    assert {(r.type.split(":")[0], r.provider) for r in made} == {
        ("proxmoxve", "proxmox"),
        ("random", "random"),
        ("tls", "tls"),
    }


def test_a_machine_is_what_the_stack_file_says(testing):
    inputs = vm(testing, "db-node1").inputs

    assert inputs["vmId"] == 220
    assert inputs["name"] == "db-node1"
    assert inputs["nodeName"] == "pve"
    assert inputs["cpu"] == {"cores": 4, "type": "host"}
    assert inputs["memory"] == {"dedicated": 8192, "floating": 0}
    assert inputs["tags"] == ["coldstorage-testing", "database", "pulumi"]
    assert inputs["poolId"] == "coldstorage-testing"
    assert inputs["networkDevices"][0]["bridge"] == "vmbr0"
    assert inputs["networkDevices"][0]["firewall"] is True
    assert inputs["disks"][0]["size"] == 50


def test_the_successor_of_a_machine_under_its_id_is_known_as_another(testing):
    identity = testing.named("machines-db-node1-identity")

    assert identity.replaced_with == {"machines-db-node1-vm"}


def test_a_machine_starts_from_the_image_and_is_no_clone(testing):
    inputs = vm(testing, "k3s-node1").inputs

    image = testing.named("machines-image-pve").inputs["fileName"]

    assert inputs["disks"][0]["importFrom"] == f"local:import/{image}"
    assert "clone" not in inputs


def test_its_address_has_the_length_of_the_network(testing):
    first_boot = vm(testing, "k3s-node2").inputs["initialization"]

    assert first_boot["ipConfigs"] == [
        {"ipv4": {"address": "192.168.15.111/24", "gateway": "192.168.15.1"}}
    ]
    assert first_boot["dns"] == {"servers": ["8.8.8.8"]}


def test_operators_and_the_stack_itself_get_in_by_key(deploy):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOperator operator"
    access = TESTING.access.model_copy(update={"authorized_keys": (key,)})

    account = vm(deploy(program(replace(TESTING, access=access))), "k3s-node1").inputs[
        "initialization"
    ]["userAccount"]

    assert account["username"] == TESTING.access.user
    assert account["keys"] == ["ssh-ed25519 AAAA machines-key", key]


def test_a_missing_agent_costs_no_time(testing):
    agent = vm(testing, "k3s-node1").inputs["agent"]

    assert agent == {"enabled": True, "trim": True, "waitForIp": {"disabled": True}}


def test_no_update_reboots_a_machine(testing):
    machines = testing.of_type(VM)

    running = [m for m in machines.values() if m.inputs["started"]]
    assert len(running) == len(MACHINES)
    assert {m.inputs["rebootAfterUpdate"] for m in running} == {False}


def test_a_shutdown_that_ends_by_force_fits_into_the_time_to_delete(testing):
    inputs = vm(testing, "k3s-node1").inputs

    assert inputs["timeoutShutdownVm"] < inputs["timeoutStopVm"]
    assert max(v for k, v in inputs.items() if k.startswith("timeout")) <= 3600


def test_databases_start_before_what_needs_them(testing):
    order = {host: vm(testing, host).inputs["startup"]["order"] for host in MACHINES}

    assert max(order[h] for h in MACHINES if h.startswith("db-")) < min(
        order[h] for h in MACHINES if h.startswith("k3s-")
    )


def test_every_vm_id_is_asked_for_before_it_is_taken(testing):
    machines = testing.of_type(VM)

    assert {name for name, m in machines.items() if not m.hooks} == set()


def test_a_machine_makes_room_for_its_successor(testing):
    machines = testing.of_type(VM)

    assert all(m.delete_before_replace for m in machines.values())


def test_the_firewall_is_made_anew_with_the_machine(testing):
    for kind in ("options", "rules"):
        made = testing.named(f"machines-k3s-node1-firewall-{kind}")
        assert made.replaced_with == {"machines-k3s-node1-vm"}
        assert made.deleted_with == "machines-k3s-node1-vm"


def test_what_is_not_let_in_is_dropped(testing):
    options = testing.named("machines-db-node1-firewall-options").inputs

    assert options["enabled"] is True
    assert (options["inputPolicy"], options["outputPolicy"]) == ("DROP", "ACCEPT")


def test_a_virtual_address_passes_the_firewall(testing):
    options = testing.named("machines-db-node1-firewall-options").inputs

    assert options["ipfilter"] is False


def test_rules_are_written_as_proxmox_writes_them(testing):
    rules = testing.named("machines-db-node1-firewall-rules").inputs["rules"]

    assert {
        "type": "in",
        "action": "ACCEPT",
        "comment": "clients of the database and the cache",
        "source": "192.168.15.110,192.168.15.111,192.168.15.112",
        "proto": "tcp",
        "dport": "2381,5432,6379,6432,8008,9100,9187",
    } in rules


def test_the_image_is_pinned_and_never_fetched_again(testing):
    image = testing.named("machines-image-pve").inputs

    assert image["checksum"] == TESTING.proxmox.image.sha512
    assert image["checksumAlgorithm"] == "sha512"
    assert image["contentType"] == "import"
    assert image["overwrite"] is False


def test_each_node_in_use_has_the_image_and_no_other(deploy):
    spread = {
        name: machine.model_copy(
            update={"proxmox": machine.proxmox.model_copy(update={"node": f"pve{i % 2}"})}
        )
        for i, (name, machine) in enumerate(TESTING.machines.items())
    }
    deployed = deploy(program(replace(TESTING, machines=spread)))

    images = deployed.of_type("proxmoxve:download/file:File")
    assert {name: r.inputs["nodeName"] for name, r in images.items()} == {
        "machines-image-pve0": "pve0",
        "machines-image-pve1": "pve1",
    }


def test_stacks_and_images_never_share_a_file():
    image = TESTING.proxmox.image
    newer = image.model_copy(update={"sha512": "f" * 128})
    names = {
        image_file(owner, each)
        for owner in (owner_of(TESTING), owner_of(PRODUCTION))
        for each in (image, newer)
    }

    assert len(names) == 4
    assert {name.rpartition(".")[2] for name in names} == {"qcow2"}


def test_neighbours_need_not_learn_a_new_hardware_address():
    assert mac_address(IPv4Address("192.168.15.120")) == "02:00:C0:A8:0F:78"


def test_later_code_knows_machines_without_knowing_proxmox(deploy):
    def look(machines):
        primary = machines.machines["db-node1"]
        assert primary.address == IPv4Address("192.168.15.120")
        assert primary.failure_domain == "pve"
        assert primary.priority == 100
        assert [m.name for m in machines.by_role(Role.DATABASE)] == [
            "db-node1",
            "db-node2",
            "db-node3",
        ]
        assert machines.machines["k3s-node1"].data_disk is None
        return {"host": primary.connection.host, "disk": primary.data_disk}

    assert deploy(program(TESTING, look)).result == {
        "host": "192.168.15.120",
        "disk": "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1",
    }


def test_the_private_key_is_secret(deploy):
    def look(machines):
        connection = machines.machines["db-node1"].connection
        assert "private_key" not in repr(connection)
        return pulumi.Output.from_input(connection.private_key.is_secret())

    assert deploy(program(TESTING, look)).result is True


def test_addresses_are_known_once_the_machines_are(testing):
    assert testing.result["db-node3"] == "192.168.15.122"


def test_a_machine_without_a_place_is_refused_by_name():
    homeless = {"db-node1": TESTING.machines["db-node1"].model_copy(update={"proxmox": None})}

    with pytest.raises(ValueError, match=r"machines\.db-node1\.proxmox"):
        ProxmoxMachinesArgs(
            owner="coldstorage-testing",
            machines=homeless,
            proxmox=TESTING.proxmox,
            network=TESTING.network,
            access=TESTING.access,
            services=None,
            protect_data=False,
            find_vm=lambda _: None,
        )


@pytest.mark.parametrize("settings", [TESTING, PRODUCTION], ids=lambda s: s.stack)
def test_two_stacks_on_one_host_share_no_name_in_proxmox(deploy, settings):
    deployed = deploy(program(settings))

    pools = {
        r.inputs["poolId"]
        for r in deployed.of_type("proxmoxve:index/poolLegacy:PoolLegacy").values()
    }
    assert pools == {f"coldstorage-{settings.stack}"}
    assert all(
        f"coldstorage-{settings.stack}" in m.inputs["tags"] for m in deployed.of_type(VM).values()
    )
