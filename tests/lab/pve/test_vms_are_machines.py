"""VMs that are machines: asked through the API, and looked at from inside."""

from __future__ import annotations

import os
import signal
import time
from urllib.parse import quote

import pytest

from lab.machines import BaseImage, Network, clean_up, left
from lab.machines.host import HostError
from lab.pve.cluster import Cluster
from lab.pve.machines import Machines
from tests.lab.machines.conftest import DATA, GATEWAY, SSH_SECONDS, a_lab

from .conftest import IMAGE, served

pytestmark = pytest.mark.machines

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5Pz0mF1dTqKk0v5m8q0M1m3l6o0iJ2wq3n4r5s6t7u state"
MAC = "02:00:C0:A8:0F:78"
HELD = "hdd:230/vm-230-disk-0.qcow2"
WITHIN_SECONDS = 30


@pytest.fixture(scope="module")
def image():
    return BaseImage().obtain()


@pytest.fixture(scope="module")
def proxmox(image, certificates):
    """A cluster whose VMs are machines of a lab, and the keeper of a data disk."""
    with a_lab(image) as lab:
        cluster = Cluster.load(
            lab.place.folder / "proxmox.json", Machines(place=lab.place, image=image)
        )
        with served(cluster, certificates) as made:
            made.place = lab.place
            made.download()
            assert made.create(230, name="db-node1-data", scsi0="hdd:0.25,format=qcow2") == "OK"
            yield made


def create(proxmox, vm_id=220, name="db-node1", **more) -> str:
    """Make a VM as the provider does."""
    more.setdefault("scsi1", f"file={HELD},discard=on,size=1")
    return proxmox.create(
        vm_id,
        name=name,
        agent="enabled=1,fstrim_cloned_disks=1",
        boot="order=scsi0",
        ciuser="ops",
        ide2="hdd:cloudinit,media=cdrom",
        ipconfig0="gw=192.168.15.1,ip=192.168.15.120/24",
        nameserver="8.8.8.8",
        net0=f"model=virtio,bridge=vmbr0,firewall=1,macaddr={MAC}",
        onboot=1,
        scsi0=f"file=hdd:0,import-from={IMAGE},format=qcow2,size=3",
        sshkeys=quote(KEY, safe=""),
        **more,
    )


def machine_of(proxmox, vm_id=220):
    return proxmox.cluster.hardware.machine(proxmox.cluster.vm(vm_id))


def up(proxmox, vm_id=220):
    """Have a VM running and return its machine."""
    if proxmox.status(vm_id)["status"] == "stopped":
        assert proxmox.vm(vm_id, "/status/start") == "OK"
    machine = machine_of(proxmox, vm_id)
    machine.wait_for_ssh(SSH_SECONDS)
    return machine


@pytest.fixture(scope="module")
def vm(proxmox):
    """VM 220, made and grown as the provider does."""
    assert create(proxmox) == "OK"
    assert proxmox.vm(220, "/resize", "PUT", disk="scsi0", size=str(4 << 30)) == "OK"
    assert proxmox.status(220)["status"] == "stopped"
    return proxmox


def test_a_vm_is_at_its_first_start_what_cloud_init_makes_of_it(vm):
    machine = up(vm)

    assert vm.status(220)["status"] == "running"
    assert machine.ssh("hostname").strip() == "db-node1"
    assert "192.168.15.120/24" in machine.ssh("ip -4 address show dev eth0")
    assert "default via 192.168.15.1" in machine.ssh("ip route")
    assert machine.ssh("cat /etc/resolv.conf") == "nameserver 8.8.8.8\n"
    assert machine.ssh("cat /sys/class/net/eth0/address").strip() == MAC.lower()
    assert machine.ssh("sudo id --user", user="ops").strip() == "0"
    assert machine.ssh("cloud-init status --wait").strip() == "status: done"


def test_keys_open_the_user_and_nobody_else(vm):
    machine = up(vm)

    assert KEY in machine.ssh("cat /home/ops/.ssh/authorized_keys")
    assert KEY not in machine.ssh("cat ~root/.ssh/authorized_keys")
    assert machine.ssh("stat --format=%a%U /home/ops/.ssh/authorized_keys").strip() == "600ops"


def test_disks_have_their_sizes_and_the_data_disk_is_blank(vm):
    machine = up(vm)

    root = int(machine.ssh("df --output=size -B1 / | tail -n 1"))
    assert (3 << 30) < root < (4 << 30)
    assert int(machine.ssh(f"blockdev --getsize64 {DATA}")) == 1 << 28
    with pytest.raises(HostError, match="exit 2"):
        machine.ssh(f"blkid {DATA}")


def test_the_agent_answers_from_the_machine_itself(vm):
    up(vm)

    found = vm.get("/nodes/pve/qemu/220/agent/network-get-interfaces")["result"]
    card = next(link for link in found if link["name"] == "eth0")
    assert card["hardware-address"] == MAC.lower()
    assert {"ip-address": "192.168.15.120", "ip-address-type": "ipv4", "prefix": 24} in card[
        "ip-addresses"
    ]
    assert vm.call("POST", "/nodes/pve/qemu/220/agent/ping").data == {"result": {}}


def test_a_disk_of_a_running_vm_grows_under_it(vm):
    machine = up(vm)

    assert vm.vm(230, "/resize", "PUT", disk="scsi0", size="+100M") == "OK"

    assert int(machine.ssh(f"blockdev --getsize64 {DATA}")) == (1 << 28) + (100 << 20)


def test_a_shutdown_is_orderly_and_a_stop_is_not(vm):
    machine = up(vm)
    machine.ssh("sync; echo unsynced >/srv/first")
    assert vm.vm(220, "/status/stop") == "OK"
    assert vm.status(220)["status"] == "stopped"
    machine = up(vm)
    assert "first" not in machine.ssh("ls /srv")

    machine.ssh("echo unsynced >/srv/second")
    assert vm.vm(220, "/status/shutdown", timeout=30) == "OK"
    assert vm.status(220)["status"] == "stopped"
    assert "second" in up(vm).ssh("ls /srv")


def test_a_reboot_and_a_reset_are_new_starts_of_the_same_machine(vm):
    machine = up(vm)
    identity = machine.ssh("cat /etc/machine-id")
    for action in ("reboot", "reset"):
        before = machine.pid
        assert vm.vm(220, f"/status/{action}") == "OK"
        machine.wait_for_ssh(SSH_SECONDS)
        assert machine.pid != before
    assert machine.ssh("cat /etc/machine-id") == identity


def test_a_suspended_vm_answers_nobody_until_it_is_resumed(vm):
    machine = up(vm)
    vm.vm(220, "/status/suspend")
    assert vm.status(220)["qmpstatus"] == "paused"
    with pytest.raises(TimeoutError):
        machine.wait_for_ssh(1)

    vm.vm(220, "/status/resume")

    assert machine.ssh("hostname").strip() == "db-node1"


def test_a_machine_that_died_is_seen_as_stopped(vm):
    machine = up(vm)

    os.kill(machine.pid, signal.SIGKILL)

    deadline = time.monotonic() + WITHIN_SECONDS
    while vm.status(220)["status"] != "stopped":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_snapshot_of_a_running_vm_holds_every_disk_as_it_was(vm):
    machine = up(vm)
    machine.ssh(f"mkfs.ext4 -q {DATA} && mkdir -p /data && mount {DATA} /data")
    machine.ssh("echo before >/data/rows; echo before >/srv/system")
    assert vm.vm(220, "/snapshot", snapname="before") == "OK"
    machine.ssh("echo after >/data/rows; echo after >/srv/system; sync")

    assert vm.vm(220, "/snapshot/before/rollback", start=1) == "OK"

    machine = up(vm)
    machine.ssh(f"mount {DATA} /data")
    assert machine.ssh("cat /data/rows /srv/system") == "before\nbefore\n"
    assert vm.vm(220, "/snapshot/before", "DELETE") == "OK"
    assert not list(vm.place.folder.rglob("*@*"))


def test_a_replaced_vm_is_another_machine_with_the_same_data(vm):
    machine = up(vm)
    machine.ssh(f"mountpoint -q /data || mount {DATA} /data; echo rows >/data/kept; sync")
    identity = machine.ssh("cat /etc/machine-id")
    vm.vm(220, "/status/shutdown", timeout=30)
    assert vm.vm(220, method="DELETE") == "OK"
    assert HELD in vm.cluster.volumes

    assert create(vm) == "OK"
    machine = up(vm)

    assert machine.ssh("cat /etc/machine-id") != identity
    assert machine.ssh(f"mkdir /data; mount {DATA} /data && cat /data/kept") == "rows\n"


def test_a_disk_that_another_vm_has_is_told_by_the_task(vm):
    up(vm)
    create(vm, 221, "db-node2")

    assert "another machine has this disk" in vm.vm(221, "/status/start")

    assert vm.status(221)["status"] == "stopped"
    assert vm.vm(221, method="DELETE") == "OK"


def test_a_vm_without_a_system_can_not_be_started(vm):
    ended = vm.vm(230, "/status/start")

    assert ended.startswith("STAND-IN: VM 230 can't be a machine: boot: no disk")


def test_machines_run_on_without_the_process_that_served_them(vm):
    machine = up(vm)
    process = machine.pid

    another = Cluster.load(vm.cluster.path, vm.cluster.hardware)

    assert another.vm(220).running
    assert another.boot() == {}
    assert machine.pid == process
    assert another.volumes == vm.cluster.volumes


def test_after_a_power_cut_of_the_computer_all_comes_back(vm):
    up(vm).ssh("echo kept >/srv/kept; sync")
    clean_up(vm.place.lab_id, files=False)
    Network(vm.place).up(GATEWAY)

    another = Cluster.load(vm.cluster.path, vm.cluster.hardware)
    assert not another.vm(220).running
    assert another.boot() == {}

    assert "kept" in up(vm).ssh("ls /srv")


def test_destroyed_vms_leave_nothing(vm):
    vm.vm(220, "/status/stop")
    for vm_id in (220, 230):
        assert vm.vm(vm_id, method="DELETE") == "OK"

    assert not vm.cluster.volumes
    assert not list((vm.place.folder / "machines").iterdir())
    assert not list((vm.place.folder / "volumes").iterdir())
    assert not left(vm.place.lab_id).processes
    assert not left(vm.place.lab_id).loop_devices
