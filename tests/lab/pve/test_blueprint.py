"""What a VM's configuration says of its machine."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from lab.pve.blueprint import blueprint_of
from lab.pve.records import Disk, Vm
from lab.pve.refused import Refused

ROOT, DATA = "hdd:220/vm-220-disk-0.qcow2", "hdd:230/vm-230-disk-0.qcow2"
VOLUMES = {ROOT: Disk(gib=50, image="local:import/debian.qcow2"), DATA: Disk(gib=20)}
KEYS = ["ssh-ed25519 AAAA+/= ours", "ssh-ed25519 BBBB somebody@example.org"]
CONFIG = {
    "name": "db-node1",
    "boot": "order=scsi0",
    "scsi0": f"{ROOT},iothread=1,size=50G",
    "scsi1": f"{DATA},discard=on,size=20G",
    "ide2": "hdd:220/vm-220-cloudinit.qcow2,media=cdrom,size=4M",
    "net0": "model=virtio,bridge=vmbr0,firewall=1,macaddr=02:00:C0:A8:0F:78",
    "ipconfig0": "gw=192.168.15.1,ip=192.168.15.120/24",
    "nameserver": "8.8.8.8 1.1.1.1",
    "ciuser": "ops",
    "sshkeys": quote("\n".join(KEYS), safe=""),
}


def blueprint(**change):
    config = {k: v for k, v in (CONFIG | change).items() if v is not None}
    return blueprint_of(Vm(vm_id=220, node="pve", config=config), VOLUMES)


def test_a_machine_gets_all_that_cloud_init_would_give_it():
    made = blueprint()

    assert (made.name, made.user, made.root_gib) == ("db-node1", "ops", 50)
    assert str(made.address) == "192.168.15.120/24"
    assert str(made.gateway) == "192.168.15.1"
    assert [str(server) for server in made.dns] == ["8.8.8.8", "1.1.1.1"]
    assert made.authorized_keys == tuple(KEYS)
    assert made.mac == "02:00:C0:A8:0F:78"


def test_a_data_disk_is_where_qemus_guests_find_it():
    assert blueprint().data == {"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1": DATA}
    assert blueprint(scsi1=f"{DATA},serial=rows").data == {
        "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_rows": DATA
    }


def test_all_that_keeps_a_vm_from_being_a_machine_is_told_at_once():
    with pytest.raises(Refused) as refused:
        blueprint(scsi0=DATA, scsi1=None, sata0=ROOT, ipconfig0="ip=dhcp", name="No_Name")

    for word in ("boot", "ip must be an IPv4 address, got 'dhcp'", "gw", "name", "sata0"):
        assert word in str(refused.value)


def test_without_a_user_it_is_the_images_own():
    assert blueprint(ciuser=None).user == "debian"
