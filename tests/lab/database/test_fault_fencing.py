"""F31-F38: a leader that falls silent is powered off and succeeded; one that hiccups is left alone.

As ``docs/decisions/0012`` has it. The token that the witnesses have may do nothing at the emulated
Proxmox but see the power of the three machines and change it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.machines import Machine, faults

from . import injections
from .case import SLOWER, Case, Fault
from .conftest import Standing
from .platform import Platform
from .tier import Tier

HICCUP_SECONDS, BETWEEN_SECONDS, HICCUPS = 2.5, 3, 4
SECOND_SECONDS = 8
BY_TTL = 32
"""Seconds until another leads where nobody is fenced."""


@dataclass
class Fenced:
    """The standing tier with witnesses, for as long as these cases last."""

    standing: Standing
    folder: Path
    _platform: Platform | None = None
    _serving: ExitStack = field(default_factory=ExitStack)

    def platform(self, tier: Tier) -> Platform:
        if self._platform is None or self._platform.tier is not tier:
            self._serving.close()
            self._platform = platform = Platform(tier, self.folder)
            platform.on()
            self._serving.callback(platform.off)
            tier.more["fenced"] = platform.told()
            tier.apply()
            for machine in tier.machines:  # what was just written a power cut takes away
                machine.execute("sync")
        return self._platform

    def end(self) -> None:
        if self._platform is not None and self.standing.holds(self._platform.tier):
            del self._platform.tier.more["fenced"]
            self._platform.tier.apply()
        self._serving.close()


@pytest.fixture(scope="module")
def fenced(standing, tmp_path_factory) -> Iterator[Fenced]:
    made = Fenced(standing, tmp_path_factory.mktemp("platform"))
    yield made
    made.end()


@pytest.fixture
def platform(case, fenced) -> Platform:
    """Have witnesses that have fenced nobody lately."""
    platform = fenced.platform(case.tier)
    forget = "set -a; . /etc/etcd/etcdctl.env; etcdctl del --prefix /fencing/"
    injections.shell(case.tier.machines[0], forget)
    platform.calls.clear()
    return platform


def power_on(machine: Machine) -> None:
    """Turn a machine on again, as a person would that has looked at it."""
    machine.boot()
    machine.wait_for_ssh()


@Fault(
    number="F31",
    what="The leader's power is cut; witnesses see it off, and hand over",
    how="as F08, with fencing",
    within=10,
    moves=True,
    quick=True,
)
def test_a_leader_without_power_is_succeeded_in_seconds(case: Case, platform: Platform):
    with case.running():
        leader = case.leader
        leader.power_cut()
        case.wait_until_writes_are_back()
        power_on(leader)
    case.check()
    assert platform.stops == [leader.name]


@Fault(
    number="F32",
    what="The leader's machine stands still for good: it is powered off, and comes back later",
    how="all of its processes frozen; power back once another leads",
    within=10,
    moves=True,
)
def test_a_leader_that_stands_still_is_powered_off(case: Case, platform: Platform):
    with case.running():
        leader = case.leader
        leader.pause()
        case.wait_until_writes_are_back()
        assert not leader.running, "it was succeeded and never powered off"
        power_on(leader)
    case.check()
    assert platform.stops == [leader.name]


@Fault(
    number="F33a",
    what="The leader's machine stands still for a moment, again and again: nobody is powered off",
    how=f"all of its processes frozen for {HICCUP_SECONDS} s, {HICCUPS} times",
    within=HICCUP_SECONDS + 3,
    moves=False,
    quick=True,
)
def test_a_leader_that_stood_still_for_a_moment_is_left_alone(case: Case, platform: Platform):
    with case.running():
        for number in range(HICCUPS):
            began = number * (HICCUP_SECONDS + BETWEEN_SECONDS)
            with faults.paused(case.leader):
                case.last(began + HICCUP_SECONDS)
            case.last(began + HICCUP_SECONDS + BETWEEN_SECONDS)
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops


@Fault(
    number="F33b",
    what="The leader is cut off for a moment, again and again: nobody is powered off",
    how=f"the bridge drops all between it and the others for {HICCUP_SECONDS} s, {HICCUPS} times",
    within=HICCUP_SECONDS + 3,
    moves=False,
)
def test_a_leader_that_was_cut_off_for_a_moment_is_left_alone(case: Case, platform: Platform):
    with case.running():
        leader, others = case.leader, case.others
        for number in range(HICCUPS):
            began = number * (HICCUP_SECONDS + BETWEEN_SECONDS)
            with faults.partition(leader, away_from=others):
                case.last(began + HICCUP_SECONDS)
            case.last(began + HICCUP_SECONDS + BETWEEN_SECONDS)
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops


@Fault(
    number="F34a",
    what="The leader is cut off from its peers, and clients still reach it: it is powered off",
    how="as F09, with fencing",
    within=10,
    moves=True,
)
def test_a_leader_that_is_cut_off_is_powered_off(case: Case, platform: Platform):
    with case.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others):
            case.wait_until_writes_are_back()
        assert not leader.running
        power_on(leader)
    case.check()
    assert platform.stops == [leader.name]


@Fault(
    number="F34b",
    what="The leader hears its peers, and they don't hear it: it is powered off",
    how="as F11, with fencing",
    within=10,
    moves=True,
)
def test_a_leader_that_is_not_heard_is_powered_off(case: Case, platform: Platform):
    with case.running():
        leader, others = case.leader, case.others
        with faults.partition(leader, away_from=others, one_way=True):
            case.wait_until_writes_are_back()
        assert not leader.running
        power_on(leader)
    case.check()
    assert platform.stops == [leader.name]


@Fault(
    number="F34c",
    what="The leader and one standby don't hear each other: one witness is no majority",
    how="as F10a, with fencing",
    within=12,
    moves=False,
)
def test_one_that_hears_nothing_powers_nobody_off(case: Case, platform: Platform):
    with case.running():
        with faults.partition(case.leader, away_from=case.others[:1]):
            case.last(30)
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops


@Fault(
    number="F35a",
    what="A tenth of all packets between the machines is lost: nobody is powered off",
    how="as F16a, with fencing",
    within=10,
    moves=False,
)
def test_a_bad_network_powers_nobody_off(case: Case, platform: Platform):
    with case.running():
        with faults.losses_between(*case.tier.machines, percent=10):
            case.last(60)
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops


@Fault(
    number="F35b",
    what="Nearly a third of all packets between the machines is lost: nobody is powered off",
    how="as F16b, with fencing",
    within=60,
)
def test_a_network_that_hardly_works_powers_nobody_off(case: Case, platform: Platform):
    with case.running():
        with faults.losses_between(*case.tier.machines, percent=30):
            case.last(60)
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops


@Fault(
    number="F36a",
    what="The leader's power is cut and the hypervisor is away: the ttl decides",
    how="as F31, nobody listens at Proxmox's address",
    within=BY_TTL,
    moves=True,
)
def test_without_the_hypervisor_the_ttl_decides(case: Case, platform: Platform):
    with case.running():
        leader = case.leader
        with platform.away():
            leader.power_cut()
            case.wait_until_writes_are_back()
        power_on(leader)
    case.check()
    assert case.told["outage"] > 12, "it was handed over without a proof"
    assert not platform.stops


@Fault(
    number="F36b",
    what="The leader stands still and the hypervisor takes its power not: the ttl decides",
    how="as F32, every call that would stop a VM is answered with an error",
    within=BY_TTL,
    moves=True,
)
def test_a_hypervisor_that_refuses_hands_nothing_over(case: Case, platform: Platform):
    with case.running():
        leader = case.leader
        with faults.paused(leader), platform.refusing():
            case.wait_until_writes_are_back()
        case.wait_until_writes_are_back()
    case.check()
    assert case.told["outage"] > 12, "it was handed over without a proof"


@Fault(
    number="F37",
    what="A leader is fenced, and soon after its successor falls silent: it is left to the ttl",
    how=f"as F31, then the new leader frozen for {SECOND_SECONDS} s once all is well",
    within=SECOND_SECONDS + 4,
    moves=True,
)
def test_nobody_is_fenced_right_after_another(case: Case, platform: Platform):
    with case.running():
        leader = case.leader
        leader.power_cut()
        case.wait_until_writes_are_back()
        power_on(leader)
        case.wait_until_well(25 * SLOWER)
        with faults.paused(case.leader):
            time.sleep(SECOND_SECONDS)
        case.wait_until_writes_are_back()
    case.check()
    assert platform.stops == [leader.name]


@Fault(
    number="F38",
    what="Patroni hangs on the leader, whose machine answers: nobody is powered off",
    how="as F06, with fencing",
    within=BY_TTL,
    moves=True,
)
def test_a_machine_that_answers_is_not_powered_off(case: Case, platform: Platform):
    with case.running(), injections.stopped(case.leader, "patroni"):
        case.wait_for_another_leader()
        case.wait_until_writes_are_back()
    case.check()
    assert not platform.stops
