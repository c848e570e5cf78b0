"""F15, F20: a disk is slow, or full."""

from __future__ import annotations

import time
from contextlib import suppress

from lab.machines import Machine, faults
from lab.machines.host import HostError

from . import injections
from .case import Case, Fault
from .test_fault_etcd import ETCDCTL, leader_of_etcd
from .test_fault_replication import PSQL

HOME = "/var/lib/postgresql"


@Fault(
    number="F20",
    what="The leader's disk is full, to the last block",
    how="a file that fills it, then new files of the log asked for; removed once writes are back",
    within=40,
)
def test_a_full_disk_loses_nothing_and_another_leads_if_it_has_to(case: Case):
    with case.running():
        leader = case.leader
        with faults.full_disk(leader, HOME):
            for _ in range(30):
                switch_log(leader)
            case.wait_until_writes_are_back()
            case.told["moved"] = case.tier.leader() != leader.name
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F15",
    what="The disks of the machine where etcd leads are slow",
    how="6 operations a second, reading and writing each, for 40 s",
    within=10,
    moves=False,
)
def test_a_slow_disk_is_no_reason_for_a_failover(case: Case):
    if leader_of_etcd(case).name == case.leader.name:
        # Else the fault is PostgreSQL's, whose every write is slow.
        move_etcds_leader(case.leader, to=case.others[0])
    with case.running():
        slow = leader_of_etcd(case)
        with faults.slow_disk(slow, operations=6, kib=4096):
            case.told["a sync, s"] = round(seconds_of_a_sync(slow), 2)
            case.last(40)
        case.wait_until_writes_are_back()
    case.check()
    assert case.told["a sync, s"] > 0.1, "the disk was not slow"


def seconds_of_a_sync(machine: Machine) -> float:
    """Return how long it takes to have a block on the disk where etcd is."""
    started = time.monotonic()
    place = "/var/lib/etcd/lab-probe"
    machine.execute("dd", "if=/dev/zero", f"of={place}", "bs=4k", "count=5", "oflag=dsync")
    taken = time.monotonic() - started
    machine.execute("rm", place)
    return taken / 5


def switch_log(machine: Machine) -> None:
    """Have PostgreSQL need another file for its log."""
    with suppress(HostError):  # it may be down, for that very reason
        injections.shell(machine, f'timeout 3 {PSQL} "select pg_switch_wal()"')


def move_etcds_leader(machine: Machine, to: Machine) -> None:
    """Have another machine lead etcd."""
    injections.shell(
        machine,
        f"{ETCDCTL} --endpoints=https://{machine.args.address.ip}:2379 move-leader"
        f" $(etcdctl member list | grep ', {to.name}, ' | cut -d , -f 1)",
    )
