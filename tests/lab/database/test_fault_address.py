"""F01, F21: the address moves on command, and what holds it dies, hangs, or has no time."""

from __future__ import annotations

from lab.machines import Machine

from . import injections
from .case import Case, Fault

HOGS = 6


@Fault(
    number="F01",
    what="A planned switchover",
    how="`systemctl start database-switchover@best` on the leader",
    within=10,
    moves=True,
    quick=True,
)
def test_a_planned_switchover_is_an_error_to_nobody(case: Case):
    case.workload.checked = True
    with case.running():
        switch_over(case.leader)
        case.wait_until_writes_are_back()
    case.check()
    assert case.told["refused"] == case.told["unknown"] == 0


@Fault(
    number="F21a",
    what="keepalived is killed on the leader, and systemd starts it again",
    how="SIGKILL to its first process",
    within=10,
    moves=False,
    quick=True,
)
def test_a_killed_keepalived_leaves_the_address_where_the_leader_is(case: Case):
    with case.running():
        injections.signal(case.leader, "KILL", "keepalived")
        case.wait_until_writes_are_back()
        case.last(10)
    case.check()


@Fault(
    number="F21b",
    what="keepalived hangs on the leader, which hands over: the guard has to take the address off",
    how="SIGSTOP to all of its processes, then a switchover",
    within=10,
    moves=True,
    quick=True,
)
def test_a_hanging_keepalived_does_not_keep_the_address(case: Case):
    with case.running():
        leader = case.leader
        with injections.all_stopped(leader, "keepalived"):
            switch_over(leader)
            case.wait_for_another_leader(30)
            case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F21c",
    what="The leader's machine has far too much to do",
    how=f"{HOGS} processes at nice -5 that compute for 30 s",
    within=15,
    moves=False,
)
def test_a_busy_leader_is_not_succeeded(case: Case):
    with case.running():
        with injections.busy(case.leader, HOGS):
            case.last(30)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F21d",
    what="The guard is killed again and again while its machine leads",
    how="SIGKILL eight times in ten seconds; systemd starts it again each time",
    within=2,
    moves=False,
)
def test_a_killed_guard_is_missed_by_nobody(case: Case):
    with case.running():
        leader = case.leader
        for second in range(1, 9):
            injections.signal(leader, "KILL", "address-guard")
            case.last(second)
        case.wait_until_writes_are_back()
        injections.shell(leader, "systemctl is-active address-guard")
    case.check()


def switch_over(leader: Machine) -> None:
    """Have the leader hand over."""
    leader.execute("systemctl", "start", "database-switchover@best.service")
