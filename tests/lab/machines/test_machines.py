"""Machines that really run: where they are, what they keep, and how they end."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from contextlib import suppress

import pytest

from lab.machines import BaseImage, PackageRepository, base_image
from lab.machines.filesystems import devices
from lab.machines.host import HostError

from .conftest import DATA, DATABASE, MACHINES, SSH_SECONDS, a_lab

pytestmark = pytest.mark.machines

ADDRESSES = [MACHINES[name]["address"] for name in DATABASE]


@pytest.fixture(scope="module")
def three(lab):
    """The stack's database machines, started at the same time."""
    machines = [lab.machine(name) for name in DATABASE]
    for machine in machines:
        machine.boot()
    for machine in machines:
        machine.wait_for_ssh(SSH_SECONDS)
    return machines


@pytest.fixture
def one(three):
    """One of them, running, whatever the test before did to it."""
    machine = three[0]
    machine.boot()
    machine.wait_for_ssh(SSH_SECONDS)
    return machine


def test_the_image_is_there_for_the_next_who_asks(image, monkeypatch):
    monkeypatch.setattr(base_image, "logged", lambda *_, **__: pytest.fail("it is built again"))

    assert BaseImage().obtain() == image


def test_machines_have_the_addresses_of_the_stack_and_reach_each_other(three):
    assert ADDRESSES == ["192.168.15.120", "192.168.15.121", "192.168.15.122"]
    for machine, address in zip(three, ADDRESSES, strict=True):
        assert f" {address}/24" in machine.ssh("ip -4 address show dev eth0")
        for other in ADDRESSES:
            machine.ssh(f"ping -c 1 -W 2 {other}")


@pytest.mark.usefixtures("three")
def test_the_host_has_no_address_of_theirs_and_no_way_to_them():
    addresses = subprocess.check_output(["ip", "-4", "address"], text=True)

    assert "192.168.15." not in addresses
    greeting = b""
    with suppress(OSError), socket.create_connection((ADDRESSES[0], 22), timeout=1) as connection:
        greeting = connection.recv(4)
    assert greeting != b"SSH-"


def test_machines_have_no_way_out_and_are_told_so_at_once(one):
    started = time.monotonic()

    with pytest.raises(HostError, match="exit"):
        one.ssh("curl --silent --max-time 20 http://8.8.8.8")
    assert time.monotonic() - started < 10


def test_no_two_machines_have_the_same_identity(three):
    for question in ("cat /etc/machine-id", "hostname", "cat /etc/ssh/ssh_host_ed25519_key.pub"):
        assert len({machine.ssh(question) for machine in three}) == len(three)


def test_a_started_machine_is_all_well(three):
    for machine in three:
        assert machine.ssh("systemctl is-system-running --wait").strip() == "running"


def test_a_user_of_the_stack_logs_in_and_becomes_root(lab):
    machine = lab.started("k3s-node1", user="somebody")

    assert machine.ssh("id --user --name", user="somebody").strip() == "somebody"
    assert machine.ssh("sudo id --user", user="somebody").strip() == "0"
    machine.delete()


def test_a_machine_that_cannot_start_says_why(lab):
    # Debian has a group of this name: useradd refuses, and cloud-init would not help it.
    machine = lab.machine("k3s-node1", user="operator")
    machine.boot()

    with pytest.raises(HostError, match="group operator exists"):
        machine.wait_for_ssh(SSH_SECONDS)
    machine.delete()


def test_a_data_disk_survives_the_replacement_of_its_machine(lab):
    data = lab.volume("data")
    first = lab.started("k3s-node2", disks={DATA: data.file})
    first.ssh(f"mkdir /data && mount {DATA} /data && echo rows >/data/table && touch /srv/here")
    identity = first.ssh("cat /etc/machine-id")
    first.power_off()
    assert not devices({data.file, first.root.file})
    first.delete()

    second = lab.started("k3s-node2", disks={DATA: data.file})

    assert second.ssh(f"mkdir /data && mount {DATA} /data && cat /data/table") == "rows\n"
    assert "here" not in second.ssh("ls /srv")
    assert second.ssh("cat /etc/machine-id") != identity
    second.delete()
    assert data.exists


def test_a_blank_disk_is_formatted_and_mounted_as_fstab_says_at_the_next_start(lab):
    data = lab.volume("fstab", formatted=False)
    machine = lab.started("k3s-node2", disks={DATA: data.file})
    machine.ssh(f"! blkid {DATA} && mkfs.ext4 -q {DATA}")
    machine.ssh(f"mkdir /data && echo '{DATA} /data ext4 defaults 0 2' >>/etc/fstab")
    machine.power_off()
    data.grow(0.2)
    machine.boot()
    machine.wait_for_ssh(SSH_SECONDS)

    assert machine.ssh("findmnt --noheadings --output FSTYPE /data").strip() == "ext4"
    machine.delete()


def test_a_disk_is_in_one_machine_at_a_time(lab):
    data = lab.volume("shared")
    first = lab.started("k3s-node2", disks={DATA: data.file})
    second = lab.machine("k3s-node3", disks={DATA: data.file})
    second.boot()

    with pytest.raises(HostError, match="another machine has this disk"):
        second.wait_for_ssh(SSH_SECONDS)
    first.delete()
    second.delete()


def test_a_clean_end_and_a_power_cut_differ(one):
    one.ssh(
        "printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=true\\n"
        "ExecStop=/usr/bin/touch /srv/stopped\\n[Install]\\nWantedBy=multi-user.target\\n'"
        " >/etc/systemd/system/marker.service && systemctl enable --quiet --now marker && sync"
    )
    one.ssh("rm -f /srv/stopped && sync")
    one.power_cut()
    assert not one.running
    one.boot()
    one.wait_for_ssh(SSH_SECONDS)
    assert "stopped" not in one.ssh("ls /srv")

    one.power_off()
    assert not one.running
    one.boot()
    one.wait_for_ssh(SSH_SECONDS)
    assert "stopped" in one.ssh("ls /srv")


def test_a_power_cut_loses_what_was_not_synced_and_only_that(lab):
    data = lab.volume("cut")
    machine = lab.started("k3s-node2", disks={DATA: data.file})
    machine.ssh(f"mkdir /data && mount {DATA} /data && sync")
    machine.ssh("for at in /data /srv; do echo kept >$at/synced && sync $at/synced; done")
    machine.ssh("for at in /data /srv; do echo lost >$at/unsynced; done")
    machine.power_cut()
    assert not devices({data.file, machine.root.file})
    machine.boot()
    machine.wait_for_ssh(SSH_SECONDS)

    machine.ssh(f"mount {DATA} /data")
    assert machine.ssh("cat /data/*synced /srv/*synced") == "kept\nkept\n"
    machine.delete()


def test_a_machine_that_restarts_itself_gets_a_new_network_card(one):
    before = one.pid
    one.ssh("ip address add 10.9.9.9/32 dev eth0; sync")
    with suppress(HostError):  # the connection may end before the answer
        one.ssh("systemctl reboot")
    deadline = time.monotonic() + SSH_SECONDS
    while process_of(one) in (before, None):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    one.wait_for_ssh(SSH_SECONDS)

    assert "10.9.9.9" not in one.ssh("ip address")


def process_of(machine):
    try:
        return machine.pid
    except HostError:
        return None


def test_packages_are_installed_offline_and_more_as_they_come(lab):
    folder = PackageRepository(packages=("jq",), image=BaseImage()).into(lab.place.folder / "debs")
    machine = lab.started("k3s-node2", packages=folder)

    machine.ssh("apt-get update -qq && apt-get install -qq -y jq >/dev/null 2>&1")
    assert re.match(r"jq-1\.", machine.ssh("jq --version"))
    PackageRepository(packages=("tree",), image=BaseImage()).into(folder)
    machine.ssh("apt-get update -qq && apt-get install -qq -y tree >/dev/null 2>&1")
    assert machine.ssh("tree --version")
    assert not [file for file in folder.iterdir() if file.name.startswith("jq")]
    machine.delete()


def test_two_labs_have_the_same_addresses_and_never_meet(three, image):
    with a_lab(image) as other:
        twin = other.started(DATABASE[0])

        assert twin.ssh("cat /etc/machine-id") != three[0].ssh("cat /etc/machine-id")
        with pytest.raises(HostError, match="exit 1"):
            twin.ssh(f"ping -c 1 -W 1 {ADDRESSES[1]} >/dev/null")
