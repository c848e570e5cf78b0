"""What Proxmox's API answers: its words, its codes, its types."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from .conftest import IMAGE

VM = "/nodes/pve/qemu/210"


@pytest.fixture
def vm(proxmox):
    """A VM with a disk from an image."""
    proxmox.create(210, name="k3s-node1", cores=4, scsi0=f"hdd:0,import-from={IMAGE},format=qcow2")
    return proxmox


def refusal(answer) -> str:
    """Return the sentence of a refusal, which is in the status line and in the body."""
    assert answer.status == 500
    assert answer.body == {"data": None, "message": f"{answer.reason}\n"}
    return answer.reason


def test_nobody_is_let_in_without_the_token(proxmox):
    answer = proxmox.call("GET", "/version", token="pulumi@pve!lab=another")

    assert (answer.status, answer.body["data"]) == (401, None)


def test_a_vm_that_is_not_there_is_a_500_with_the_words_that_the_provider_looks_for(proxmox):
    answer = proxmox.call("GET", f"{VM}/config")

    assert "Configuration file 'nodes/pve/qemu-server/210.conf' does not exist" in refusal(answer)


def test_every_wrong_parameter_is_told_at_once(proxmox):
    answer = proxmox.call("POST", "/nodes/pve/qemu", cores="many", onboot="perhaps", colour="blue")

    assert (answer.status, answer.reason) == (400, "Parameter verification failed.")
    assert answer.body["errors"] == {
        "vmid": "property is missing and it is not optional",
        "cores": "type check ('integer') failed - got 'many'",
        "onboot": "type check ('boolean') failed - got 'perhaps'",
        "colour": "property is not defined in schema and the schema does not allow "
        "additional properties",
    }
    assert not proxmox.cluster.vms


def test_a_taken_id_is_refused_at_once_and_the_vm_stays_as_it_is(vm):
    answer = vm.call("POST", "/nodes/pve/qemu", vmid=210, name="another")

    assert refusal(answer) == ("unable to create VM 210 - VM 210 already exists on node 'pve'")
    assert vm.get(f"{VM}/config")["name"] == "k3s-node1"


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        ("hdd:0,import-from=local:import/nothing.qcow2", "does not exist"),
        ("ssd:10", "storage 'ssd' does not exist"),
        ("hdd:230/vm-230-disk-0.qcow2", "does not exist"),
    ],
)
def test_a_vm_whose_disk_can_not_be_made_leaves_nothing(proxmox, disk, words):
    ended = proxmox.create(210, name="k3s-node1", scsi0="hdd:5", scsi1=disk)

    assert ended.startswith("unable to create VM 210 - ")
    assert words in ended
    assert not proxmox.cluster.vms
    assert not proxmox.cluster.volumes


def test_an_unknown_node_is_refused(proxmox):
    answer = proxmox.call("POST", "/nodes/pve9/qemu", vmid=210)

    assert "hostname lookup 'pve9' failed" in refusal(answer)


def test_what_is_not_emulated_says_so(proxmox):
    assert proxmox.call("GET", "/access/users").status == 501


def test_numbers_are_numbers_and_disks_have_their_size(vm):
    assert vm.vm(210, "/resize", "PUT", disk="scsi0", size="100G") == "OK"

    config = vm.get(f"{VM}/config")

    assert config["cores"] == 4
    assert config["scsi0"] == "hdd:210/vm-210-disk-0.qcow2,size=100G"


def test_a_new_vm_has_an_identity_that_nobody_asked_for(vm):
    vm.create(211)

    first, second = (vm.get(f"/nodes/pve/qemu/{vm_id}/config") for vm_id in (210, 211))

    for key in ("smbios1", "vmgenid"):
        assert first[key] != second[key]
    assert first["meta"].startswith("creation-qemu=")


def test_a_disk_never_shrinks(vm):
    vm.vm(210, "/resize", "PUT", disk="scsi0", size="100G")

    assert vm.vm(210, "/resize", "PUT", disk="scsi0", size="99G") == (
        "shrinking disks is not supported"
    )
    assert vm.cluster.volumes["hdd:210/vm-210-disk-0.qcow2"].gib == 100


def test_a_file_that_is_there_is_not_overwritten(proxmox):
    with pytest.raises(AssertionError, match="refusing to override existing file"):
        proxmox.download()


def test_a_running_or_protected_vm_is_not_destroyed(vm):
    vm.vm(210, "/status/start")
    assert vm.vm(210, method="DELETE") == "VM 210 is running - destroy failed"
    vm.vm(210, "/status/stop")
    vm.call("PUT", f"{VM}/config", protection=1)

    answer = vm.call("DELETE", VM)

    assert refusal(answer) == "can't remove VM 210 - protection mode enabled"
    assert 210 in vm.cluster.vms


def test_a_destroyed_vm_takes_its_disks_and_leaves_those_of_others(vm):
    vm.create(230, name="data", scsi0="hdd:50,format=qcow2")
    held = "hdd:230/vm-230-disk-0.qcow2"
    vm.call("PUT", f"{VM}/config", scsi1=f"{held},discard=on")
    assert vm.get(f"{VM}/config")["scsi1"] == f"{held},discard=on,size=50G"

    assert vm.vm(210, method="DELETE") == "OK"

    assert list(vm.cluster.volumes) == [held]


def test_a_drive_taken_out_stays_as_an_unused_disk_until_it_is_freed(vm):
    vm.call("PUT", f"{VM}/config", delete="scsi0")
    assert vm.get(f"{VM}/config")["unused0"] == "hdd:210/vm-210-disk-0.qcow2"

    vm.call("PUT", f"{VM}/config", delete="unused0")

    assert not vm.cluster.volumes


def test_a_disk_in_the_place_of_another_makes_it_an_unused_one(vm):
    vm.call("PUT", f"{VM}/config", scsi0="hdd:210/vm-210-disk-0.qcow2,discard=on")
    assert "unused0" not in vm.get(f"{VM}/config")

    vm.call("PUT", f"{VM}/config", scsi0="hdd:5")

    config = vm.get(f"{VM}/config")
    assert config["scsi0"] == "hdd:210/vm-210-disk-0.raw,size=5G"
    assert config["unused0"] == "hdd:210/vm-210-disk-0.qcow2"


@pytest.mark.parametrize(("told", "left"), [(0, {"hdd:210/vm-210-disk-0.raw"}), (1, set())])
def test_a_disk_that_no_configuration_names_goes_only_if_told(vm, told, left):
    vm.vm(210, "/snapshot", snapname="before")
    vm.call("PUT", f"{VM}/config", scsi1="hdd:5")
    vm.vm(210, "/snapshot/before/rollback")

    assert vm.vm(210, method="DELETE", destroy_unreferenced_disks=told) == "OK"

    assert set(vm.cluster.volumes) == left


@pytest.mark.parametrize("action", ["reboot", "reset", "suspend", "resume"])
def test_only_a_running_vm_can_be_rebooted_or_suspended(vm, action):
    assert refusal(vm.call("POST", f"{VM}/status/{action}")) == "VM 210 not running"


def test_starting_what_runs_is_told(vm):
    assert vm.vm(210, "/status/start") == "OK"
    assert vm.vm(210, "/status/start") == "VM 210 already running"


def test_a_suspended_vm_is_running_and_paused(vm):
    vm.vm(210, "/status/start")
    vm.vm(210, "/status/suspend")
    assert (vm.status(210)["status"], vm.status(210)["qmpstatus"]) == ("running", "paused")

    vm.vm(210, "/status/resume")

    assert vm.status(210)["qmpstatus"] == "running"


def test_the_agent_refuses_as_proxmox_does(vm):
    ask = f"{VM}/agent/network-get-interfaces"
    assert refusal(vm.call("GET", ask)) == "No QEMU guest agent configured"
    vm.call("PUT", f"{VM}/config", agent="enabled=1")
    assert refusal(vm.call("GET", ask)) == "VM 210 is not running"
    vm.vm(210, "/status/start")
    assert refusal(vm.call("GET", ask)) == "QEMU guest agent is not running"


def test_a_vm_goes_back_to_its_snapshot_and_off(vm):
    vm.vm(210, "/snapshot", snapname="before", description="of the upgrade")
    vm.vm(210, "/status/start")
    vm.call("PUT", f"{VM}/config", cores=8)

    assert vm.vm(210, "/snapshot/before/rollback") == "OK"

    assert vm.get(f"{VM}/config")["cores"] == 4
    assert vm.status(210)["status"] == "stopped"
    listed = vm.get(f"{VM}/snapshot")
    assert [(row["name"], row.get("parent")) for row in listed] == [
        ("before", None), ("current", "before"),
    ]  # fmt: skip
    assert vm.vm(210, "/snapshot/before", "DELETE") == "OK"
    assert vm.vm(210, "/snapshot/before/rollback") == "snapshot 'before' does not exist"


def test_a_pool_with_a_vm_in_it_stays(proxmox):
    proxmox.call("POST", "/pools", poolid="testing", comment="ours")
    proxmox.create(210, pool="testing")

    answer = proxmox.call("DELETE", "/pools", poolid="testing")

    assert refusal(answer) == "delete pool failed: pool 'testing' is not empty"
    assert [m["vmid"] for m in proxmox.get("/pools", poolid="testing")[0]["members"]] == [210]


@pytest.mark.parametrize("volume", ["local:import/debian-13.qcow2", "import/debian-13.qcow2"])
def test_an_image_is_deleted_by_its_name_with_and_without_its_storage(proxmox, volume):
    content = "/nodes/pve/storage/local/content"

    assert proxmox.run("DELETE", f"{content}/{quote(volume, safe='')}") == "OK"

    assert proxmox.get(content) == []
    assert proxmox.download() == "OK"
