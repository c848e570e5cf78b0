"""F02-F06: a process of the leader dies, hangs, or cannot be started again."""

from __future__ import annotations

from lab.machines import Machine

from . import injections
from .case import SLOWER, Case, Fault

TAKEN_OVER = 32
"""Seconds until another leads and is written to, once a leader says nothing any more."""


@Fault(
    number="F02",
    what="PostgreSQL is killed on the leader",
    how="SIGKILL to its first process",
    within=10,
    moves=False,
    quick=True,
)
def test_a_killed_server_comes_back_where_it_was(case: Case):
    with case.running():
        injections.kill_server(case.leader)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F03",
    what="PostgreSQL is killed on the leader and cannot be started again",
    how="program moved away, SIGKILL",
    within=TAKEN_OVER,
    moves=True,
    quick=True,
)
def test_a_server_that_does_not_start_again_is_succeeded(case: Case):
    with case.running():
        leader = case.leader
        with injections.without_program(leader, injections.POSTGRES):
            injections.kill_server(leader)
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F04",
    what="Patroni is killed on the leader, and systemd starts it again",
    how="SIGKILL to Patroni",
    within=5,
    moves=False,
    quick=True,
)
def test_a_killed_patroni_is_back_before_anybody_takes_over(case: Case):
    with case.running():
        injections.signal(case.leader, "KILL", "patroni")
        case.wait_until_writes_are_back()
        case.last(10)
    case.check()


@Fault(
    number="F05",
    what="Patroni is killed on the leader for good; its PostgreSQL goes on without it",
    how="`Restart=no`, SIGKILL to Patroni; started again once another leads",
    within=TAKEN_OVER,
    moves=True,
)
def test_an_orphaned_server_acknowledges_nothing_and_follows_at_last(case: Case):
    with case.running():
        leader = case.leader
        with injections.killed_for_good(leader, "patroni"):
            without = case.wait_for(lambda: case.sampler.holder() is None, 3 * SLOWER)
            case.told["address gone"] = round(without, 1)
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
            assert runs_a_server(leader), "there was no orphan"
    case.check()


@Fault(
    number="F06",
    what="Patroni hangs on the leader; its PostgreSQL goes on",
    how="SIGSTOP to Patroni until another leads, then SIGCONT; no watchdog in the lab",
    within=TAKEN_OVER,
    moves=True,
    quick=True,
)
def test_a_hanging_patroni_is_succeeded(case: Case):
    with case.running():
        leader = case.leader
        with injections.stopped(leader, "patroni"):
            without = case.wait_for(lambda: case.sampler.holder() is None, 5 * SLOWER)
            case.told["address gone"] = round(without, 1)
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
            assert runs_a_server(leader), "there was no orphan"
    case.check()


def runs_a_server(machine: Machine) -> bool:
    """Tell whether PostgreSQL runs there."""
    script = f"kill -0 $(head -n 1 {injections.POSTMASTER}) 2>/dev/null && echo yes || echo no"
    return injections.shell(machine, script).strip() == "yes"
