"""F30: faults drawn at random, one after the other and two at a time, for as long as one likes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from lab.machines import Machine, faults

from . import injections
from .case import Case, Fault

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
SEED = int(os.environ.get("SOAK_SEED", "30"))
LONGEST = 20
"""Seconds that a fault lasts at most."""


@contextmanager
def once(machine: Machine, do: Callable[[Machine], None]) -> Iterator[None]:
    """Do something that mends itself."""
    do(machine)
    yield


@contextmanager
def without_power(machine: Machine) -> Iterator[None]:
    """Cut the power of a machine, and give it back."""
    machine.power_cut()
    try:
        yield
    finally:
        machine.boot()
        machine.wait_for_ssh()


def choices(machine: Machine, rest: tuple[Machine, ...]) -> dict[str, AbstractContextManager[None]]:
    """Return what may befall a machine."""
    return {
        "server killed": once(machine, injections.kill_server),
        "Patroni killed": once(machine, lambda m: injections.signal(m, "KILL", "patroni")),
        "Patroni hangs": injections.stopped(machine, "patroni"),
        "etcd killed": once(machine, lambda m: injections.signal(m, "KILL", "etcd")),
        "etcd stopped": injections.turned_off("etcd", machine),
        "keepalived hangs": injections.all_stopped(machine, "keepalived"),
        "machine frozen": faults.paused(machine),
        "power cut": without_power(machine),
        "cut off": faults.partition(machine, away_from=rest),
        "not heard": faults.partition(machine, away_from=rest, one_way=True),
        "packets lost": faults.losses_between(machine, *rest, percent=20),
    }


@pytest.mark.soak
@Fault(
    number="F30",
    what=f"{MINUTES:g} minutes of faults drawn at random, one or two at once, on any machine",
    how=f"of F02-F16, up to {LONGEST} s each, then until all is well; seed {SEED}",
    within=60,
)
def test_whatever_comes_nothing_is_lost(case: Case):
    draw = random.Random(SEED)
    ends = time.monotonic() + 60 * MINUTES
    rounds = 0
    with case.running():
        while time.monotonic() < ends:
            befall(case, draw)
            case.wait_until_well()
            rounds += 1
    case.told["rounds"] = rounds
    case.told["available %"] = round(100 * case.workload.availability(case.began), 1)
    case.check()


def befall(case: Case, draw: random.Random) -> None:
    """Have one fault, or two on different machines, for a while."""
    machines = case.tier.machines
    victims = draw.sample(machines, draw.choice((1, 1, 2)))
    with ExitStack() as stack:
        for victim in victims:
            rest = tuple(m for m in machines if m.name != victim.name)
            found = choices(victim, rest)
            name = draw.choice(list(found))
            print(f"{victim.name}: {name}")  # noqa: T201 - what a seed stands for
            stack.enter_context(found[name])
        until = time.monotonic() + draw.uniform(2, LONGEST)
        case.wait_for(lambda: time.monotonic() > until, LONGEST + 1)
