"""F17-F19: standbys that are slow or away, and commits that somebody did not wait for."""

from __future__ import annotations

from lab.machines import Machine, faults

from . import injections
from .case import SLOWER, Case, Fault

PSQL = "runuser -u postgres -- psql -XAtq -d postgres -c"
CANCEL = "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'"


@Fault(
    number="F17",
    what="A standby takes no log for 30 s",
    how="SIGSTOP to its WAL receiver",
    within=5,
    moves=False,
    quick=True,
)
def test_a_slow_standby_is_waited_for_by_nobody(case: Case):
    with case.running():
        receiver = injections.shell(case.others[0], "pgrep -f '[w]alreceiver'").strip()
        injections.shell(case.others[0], f"kill -STOP {receiver}")
        try:
            case.last(30)
            case.wait_until_writes_are_back()
        finally:
            injections.shell(case.others[0], f"kill -CONT {receiver} || true")
    case.check()


@Fault(
    number="F18",
    what="Both standbys are down for 20 s: nothing is acknowledged that is on one machine only",
    how="Patroni, and with it PostgreSQL, stopped on both",
    within=20 + 25,
    moves=False,
    quick=True,
)
def test_without_standbys_nothing_is_acknowledged(case: Case):
    with case.running():
        with injections.turned_off("patroni", *case.others):
            case.begin()
            case.last(20)
            late = [
                t
                for t in case.workload.tries
                if t.outcome == "acknowledged" and t.ended > case.began + 1
            ]
            assert not late
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F19",
    what="Waits for a standby are cancelled on a leader that is cut off, and it is succeeded",
    how="F09 and `pg_cancel_backend`: PostgreSQL says success, with a warning",
    within=32,
    moves=True,
)
def test_a_cancelled_wait_is_never_taken_for_an_acknowledgement(case: Case):
    with case.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others):
            case.wait_for(lambda: cancelled(leader) > 0, 10 * SLOWER)
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
    warned = {t.number for t in case.workload.tries if "canceling wait" in t.error}
    case.told |= {"warned": len(warned), "warned, and gone": len(warned - case.found)}
    case.check()
    assert warned, "nobody was warned: nothing was tried"


def cancelled(machine: Machine) -> int:
    """Cancel all waits for a standby; return how many there were."""
    return int(injections.shell(machine, f'{PSQL} "{CANCEL}"').strip())
