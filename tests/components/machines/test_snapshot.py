"""Snapshots are of all machines or of none, and only our own are ever touched."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from components.machines import snapshot
from components.machines.snapshot import Snapshot, Vm

AT = datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC)
NAME = "pulumi-upgrade-20261120123005"
ONE, TWO = Vm(node="pve", vm_id=220), Vm(node="pve", vm_id=221)


class Proxmox:
    """Keeps snapshots in memory; some VMs can't have any."""

    def __init__(self, *, broken=()):
        self.kept = defaultdict(list)
        self.rolled_back = []
        self.broken = broken

    def snapshots(self, node, vm_id):
        return list(self.kept[node, vm_id])

    def snapshot(self, node, vm_id, name, description):
        if vm_id in self.broken:
            raise OSError(f"storage of {vm_id} has no snapshots")
        self.kept[node, vm_id].append(Snapshot(name=name, description=description))

    def rollback(self, node, vm_id, name):
        self.rolled_back.append((node, vm_id, name))

    def delete_snapshot(self, node, vm_id, name):
        self.kept[node, vm_id] = [s for s in self.kept[node, vm_id] if s.name != name]


def create(client, *vms):
    return snapshot.create(client, vms, reason="upgrade", at=AT, description="before 1.34")


def test_a_snapshot_says_why_and_when():
    client = Proxmox()

    assert create(client, ONE) == NAME
    assert client.snapshots("pve", 220) == [Snapshot(name=NAME, description="before 1.34")]


def test_if_one_machine_can_have_none_no_machine_keeps_one():
    client = Proxmox(broken={221})

    with pytest.raises(OSError, match="storage of 221"):
        create(client, ONE, TWO)

    assert client.snapshots("pve", 220) == []


def test_nothing_goes_back_unless_everything_can():
    client = Proxmox()
    create(client, ONE)

    with pytest.raises(LookupError, match="of VM 221"):
        snapshot.rollback(client, [ONE, TWO], NAME)

    assert client.rolled_back == []


def test_all_go_back_to_the_same_moment():
    client = Proxmox()
    create(client, ONE, TWO)

    snapshot.rollback(client, [TWO, ONE], NAME)

    assert client.rolled_back == [("pve", 220, NAME), ("pve", 221, NAME)]


def test_somebody_else_s_snapshots_are_neither_shown_nor_deleted():
    client = Proxmox()
    client.snapshot("pve", 220, "by-hand", "")
    create(client, ONE)

    assert [s.name for s in snapshot.ours(client, ONE)] == [NAME]
    with pytest.raises(ValueError, match="must start with pulumi-"):
        snapshot.delete(client, [ONE], "by-hand")


def test_deleting_twice_is_deleting_once():
    client = Proxmox()
    create(client, ONE)

    snapshot.delete(client, [ONE, TWO], NAME)
    snapshot.delete(client, [ONE, TWO], NAME)

    assert snapshot.ours(client, ONE) == ()


@pytest.mark.parametrize("reason", ["", "Upgrade", "up grade", "a-reason-that-is-too-long"])
def test_a_name_that_proxmox_would_refuse_is_refused_first(reason):
    with pytest.raises(ValueError, match="18 letters at most"):
        snapshot.name_of(reason, AT)
