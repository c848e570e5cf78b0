"""F07, F08: a whole machine stands still for a while, or loses its power."""

from __future__ import annotations

from lab.machines import faults

from .case import Case, Fault


@Fault(
    number="F07",
    what="The leader's machine stands still, and goes on as if nothing had been",
    how="all of its processes frozen until another leads and a minute has passed, then thawed",
    within=32,
    moves=True,
)
def test_a_leader_that_slept_acknowledges_nothing_when_it_wakes(case: Case):
    with case.running():
        with faults.paused(case.leader):
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
            case.last(60)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F08",
    what="The leader's power is cut",
    how="every process killed, no packet more, unsynced writes lost; power back once another leads",
    within=32,
    moves=True,
    quick=True,
)
def test_a_leader_without_power_is_succeeded_and_comes_back_as_a_standby(case: Case):
    with case.running():
        leader = case.leader
        leader.power_cut()
        case.wait_until_writes_are_back()
        leader.boot()
        leader.wait_for_ssh()
    case.check()
    said = leader.execute("journalctl", "--boot", "--unit", "patroni", "--output", "cat")
    assert "pg_basebackup" not in said, "it was copied anew, not rewound"
