"""What is decided before anything is made."""

from __future__ import annotations

import pytest

from lab.machines import Machine, MachineArgs, Place, Volume
from lab.machines.faults import packet_loss
from lab.machines.identity import mac_of
from lab.machines.network import port


@pytest.mark.parametrize("lab_id", ["", "A", "1a", "a/b", "a" * 17, "../a", "a-b"])
def test_a_lab_id_that_could_name_something_else_is_refused(lab_id):
    with pytest.raises(ValueError, match="lab_id: must match"):
        Place(lab_id)


def test_two_labs_share_no_name_on_the_host():
    one, other = Place("one"), Place("other")

    for name in ("folder", "namespace", "cgroup"):
        assert getattr(one, name) != getattr(other, name)


def test_a_port_has_a_name_that_the_kernel_takes_and_no_other_machine_has():
    names = ["db-node1", "postgresql-primary-1", "postgresql-primary-2"]

    assert port("db-node1") == "db-node1"
    assert len({port(name) for name in names}) == len(names)
    assert all(len(port(name)) <= 15 for name in names)


def test_a_machine_keeps_its_hardware_address_and_shares_it_with_none():
    assert mac_of("lab", "a") == mac_of("lab", "a")
    assert len({mac_of("lab", "a"), mac_of("lab", "b"), mac_of("other", "a")}) == 3
    assert mac_of("lab", "a").startswith("02:")
    assert len(mac_of("lab", "a")) == 17


def test_what_a_machine_is_survives_being_written_down(tmp_path):
    args = MachineArgs(
        name="db-node1",
        address="192.168.15.120/24",
        gateway="192.168.15.1",
        image=tmp_path,
        disks={"/dev/disk/by-id/x": tmp_path / "x.raw"},
    )

    assert MachineArgs.model_validate_json(args.model_dump_json()) == args


def test_a_disk_has_its_size_takes_no_room_and_never_shrinks(tmp_path):
    disk = Volume(tmp_path / "disk.raw")
    disk.create(1, formatted=False)

    assert disk.size == 1 << 30
    assert disk.allocated < 1 << 20
    with pytest.raises(ValueError, match=r"disk\.raw: must not shrink"):
        disk.grow(0.5)
    with pytest.raises(FileExistsError):
        disk.create(1)
    disk.grow(2)
    assert disk.size == 2 << 30


@pytest.mark.parametrize("percent", [0, 101])
def test_a_share_of_packets_is_a_share(percent, tmp_path):
    with (
        pytest.raises(ValueError, match="percent: must be 1-100"),
        packet_loss(Machine(Place("a", tmp_path), "m"), percent),
    ):
        pass
