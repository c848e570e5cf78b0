"""What a cluster knows outlives its process, and a storage holds no more than it has."""

from __future__ import annotations

import stat

import pytest

from lab.pve.cluster import Cluster
from lab.pve.hardware import NoHardware
from lab.pve.refused import Refused

GIB = 1 << 30


@pytest.fixture
def path(tmp_path):
    return tmp_path / "proxmox.json"


def loaded(path) -> Cluster:
    return Cluster.load(path, NoHardware())


def test_a_new_process_finds_everything_again(path):
    first = loaded(path)
    with first.changing() as records:
        records.pools["testing"] = "ours"
        records.files["local:import/debian.qcow2"] = 5
    disk = "hdd:0,import-from=local:import/debian.qcow2"
    first.create("pve", {"vmid": "210", "name": "a", "pool": "testing", "scsi0": disk})
    first.create("pve", {"vmid": "211", "start": "1"})

    second = loaded(path)

    assert second.records == first.records
    assert second.vms[210].pool == "testing"
    assert second.volumes["hdd:210/vm-210-disk-0.raw"].image == "local:import/debian.qcow2"
    assert second.vm(211).running
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_being_made_when_the_process_died_stays_locked(path):
    class Power(NoHardware):
        def allocate(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cluster.load(path, Power()).create("pve", {"vmid": "230", "scsi0": "hdd:5"})

    assert loaded(path).vms[230].lock == "create"


def test_a_half_written_file_is_never_read(path):
    first = loaded(path)
    first.create("pve", {"vmid": "210"})
    path.with_suffix(".new").write_text("{")

    assert 210 in loaded(path).vms


def test_after_a_power_cut_what_is_to_run_starts_in_its_order(path):
    cluster = loaded(path)
    for vm_id, order, onboot in ((210, "order=2", "1"), (220, "order=1", "1"), (230, "", "0")):
        cluster.create("pve", {"vmid": str(vm_id), "onboot": onboot, "startup": order})
    started = []

    class Host(NoHardware):
        def start(self, vm, *_):
            if vm.vm_id == 220:
                raise Refused("no memory left")
            started.append(vm.vm_id)

    cluster.hardware = Host()

    assert cluster.boot() == {220: "no memory left"}
    assert started == [210]
    assert {vm.vm_id for vm in cluster.all_vms() if vm.running} == {210}


def test_two_vms_of_one_name_are_not_one_machine(path):
    cluster = loaded(path)
    cluster.create("pve", {"vmid": "210", "name": "a", "start": "1"})

    with pytest.raises(Refused, match="machine a is VM 210's"):
        cluster.create("pve", {"vmid": "211", "name": "a", "start": "1"})


def test_a_storage_holds_what_it_has_and_not_a_disk_more():
    cluster = Cluster(storages={"hdd": 10 * GIB})
    cluster.create("pve", {"vmid": "210", "scsi0": "hdd:6"})

    with pytest.raises(Refused, match=r"unable to create VM 211 - .*No space left on device"):
        cluster.create("pve", {"vmid": "211", "scsi0": "hdd:5"})

    assert set(cluster.vms) == {210}
    cluster.create("pve", {"vmid": "211", "scsi0": "hdd:4"})
