"""F09-F11, F16: machines that run and don't hear each other, and the proof that losing is seen."""

from __future__ import annotations

import random

from lab.machines import faults

from .case import Case, Fault

SEED = 6
PARTED_SECONDS, JOINED_SECONDS, PARTINGS = 12, 6, 4


@Fault(
    number="F09",
    what="The leader is cut off from its peers, and clients still reach it",
    how="the bridge drops all between it and the others",
    within=32,
    moves=True,
    quick=True,
)
def test_a_leader_that_is_cut_off_acknowledges_nothing(case: Case):
    with case.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others):
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F10a",
    what="The leader and one standby don't hear each other; both hear the third",
    how="the bridge drops all between the two, for 30 s",
    within=12,
)
def test_two_that_do_not_hear_each_other_harm_nobody(case: Case):
    with case.running():
        with faults.partition(case.leader, away_from=case.others[:1]):
            case.last(30)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F10b",
    what="One machine after the other, drawn at random, is cut off from the rest",
    how=f"{PARTINGS} partitions of {PARTED_SECONDS} s, {JOINED_SECONDS} s apart, seed {SEED}",
    within=60,
)
def test_partitions_that_wander_lose_nothing(case: Case):
    draw = random.Random(SEED)
    with case.running():
        for number in range(PARTINGS):
            alone = draw.choice(case.tier.machines)
            others = tuple(m for m in case.tier.machines if m.name != alone.name)
            with faults.partition(alone, away_from=others):
                case.last(number * (PARTED_SECONDS + JOINED_SECONDS) + PARTED_SECONDS)
            case.last((number + 1) * (PARTED_SECONDS + JOINED_SECONDS))
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F11",
    what="The leader hears its peers, and they don't hear it",
    how="the bridge drops what it sends to the others",
    within=32,
    moves=True,
)
def test_a_leader_that_is_not_heard_is_succeeded(case: Case):
    with case.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others, one_way=True):
            case.wait_for_another_leader()
            case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F16a",
    what="A tenth of all packets between the machines is lost",
    how="the bridge drops them at random for 60 s",
    within=10,
    moves=False,
)
def test_a_bad_network_is_no_reason_for_a_failover(case: Case):
    with case.running():
        with faults.losses_between(*case.tier.machines, percent=10):
            case.last(60)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F16b",
    what="Nearly a third of all packets between the machines is lost",
    how="the bridge drops 30 % at random for 60 s",
    within=60,
)
def test_a_network_that_hardly_works_loses_nothing(case: Case):
    with case.running():
        with faults.losses_between(*case.tier.machines, percent=30):
            case.last(60)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="Control",
    what="As F09, with asynchronous replication: writes are lost, and the verdict says so",
    how="`synchronous: false`, then as F09",
    within=32,
    moves=True,
    control=True,
)
def test_without_synchronous_replication_the_same_partition_loses_writes(case: Case):
    """The verdict is worth something only if it can be bad."""
    case.tier.more["synchronous"] = False
    case.tier.apply()
    try:
        with case.running():
            leader, others = case.leader, case.others
            with faults.partition(leader, away_from=others):
                case.wait_for_another_leader()
                case.wait_until_writes_are_back()
    finally:
        del case.tier.more["synchronous"]
        case.tier.apply()
    assert case.told["lost"] > 0
    assert case.told["two holders"] <= 2
