"""A fault while numbers are written and everything is watched, and what is wrong afterwards.

A case says what befalls whom and what the platform promises; the verdict, its invariants and its
figures are the same for all. Each ends with a tier that is well again: they follow each other on
the same machines.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from lab.machines import Machine
from lab.machines.network import NAMESPACES, entered

from .samples import Sampler
from .tier import OWNER_PASSWORD, VIRTUAL, Tier
from .workload import TABLE, Workload, verdict

# Everything of the lab shares two cores with whatever else runs there.
SLOWER = 1.5
WELL_SECONDS = 60
MARKS = (
    "fault(fault): a case of docs/faults.md",
    "quick: a fault that a quarter of an hour has room for",
    "soak: faults drawn at random, for as long as one likes",
)
T = TypeVar("T", bound=Callable[..., None])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What befalls the tier, and what must hold meanwhile; seconds are those of fast machines."""

    number: str
    what: str
    how: str
    within: float
    """Seconds without an acknowledged write, at most."""
    moves: bool | None = None
    """Whether another leads afterwards; nothing where both are right."""
    astray: float = 2
    """Seconds in which the address may be where nobody says that he leads."""
    control: bool = False
    """Whether the tier is made to lose writes, to see that the verdict says so."""

    quick: bool = False
    """Whether it is among those that a quarter of an hour has room for."""

    def __call__(self, test: T) -> T:
        """Mark a test as the case of this fault."""
        marks = [pytest.mark.machines, pytest.mark.database, pytest.mark.fault(fault=self)]
        for mark in [*marks, pytest.mark.quick] if self.quick else marks:
            test = mark(test)
        return test


@dataclass
class Case:
    """One run of a case."""

    tier: Tier
    fault: Fault
    authority: str
    """Where the certificate of the tier's authority is."""
    began: float = 0
    told: dict[str, float] = field(default_factory=dict)
    """What was measured."""
    found: set[int] = field(default_factory=set)
    """The numbers that are there in the end."""
    _first_leader: str = ""

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cafile=self.authority)
        where = {
            "host": VIRTUAL, "port": 6432, "dbname": "cold_db", "user": "cold_user",
            "password": OWNER_PASSWORD, "sslmode": "verify-full", "sslrootcert": self.authority,
        }  # fmt: skip
        self.workload = Workload(NAMESPACES / self.tier.lab.place.namespace, where)
        self.sampler = Sampler(self.tier.machines, VIRTUAL, context)

    @property
    def leader(self) -> Machine:
        """Return the machine that leads now."""
        return self.tier.machine(self.tier.leader())

    @property
    def others(self) -> tuple[Machine, ...]:
        """Return the machines that do not lead, in the order of their names."""
        leader = self.tier.leader()
        return tuple(m for m in self.tier.machines if m.name != leader)

    @contextmanager
    def running(self) -> Iterator[Case]:
        """Write and watch until the end of the block and until the tier is well again."""
        with entered(self.workload.namespace), self.workload.connect() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
            connection.execute(f"CREATE TABLE {TABLE} (number integer PRIMARY KEY)")
        with ExitStack() as stack:
            stack.enter_context(self.sampler.running())
            stack.enter_context(self.workload.running())
            self.wait_for(lambda: len(self.workload.of("acknowledged")) > 40, 20)
            before = self.tier.timeline()
            self.begin()
            yield self
            healed = time.monotonic()
            self.wait_until_well()
            self.told["well again"] = round(time.monotonic() - healed, 1)
            self.told["promotions"] = self.tier.timeline() - before
        self.read()

    def begin(self) -> None:
        """Count from now: what comes next is the fault."""
        self.began = time.monotonic()
        self._first_leader = self.tier.leader()

    def wait_for(self, true: Callable[[], bool], seconds: float) -> float:
        """Return how long it took until something was true."""
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < seconds, f"not after {seconds} s"
            time.sleep(0.1)
        return time.monotonic() - started

    def last(self, seconds: float) -> None:
        """Have the fault last, as long as its case says."""
        self.wait_for(lambda: time.monotonic() > self.began + seconds, seconds + 1)

    def wait_until_writes_are_back(self, seconds: float = 60 * SLOWER) -> None:
        """Wait for a write that was asked for after the fault, then for a few more."""
        asked = max(self.began + 1, time.monotonic())

        def back() -> bool:
            return (
                sum(
                    t.outcome == "acknowledged" and t.began > asked
                    for t in self.workload.tries[-40:]
                )
                > 20
            )

        self.wait_for(back, seconds)

    def wait_for_another_leader(self, seconds: float = 60 * SLOWER) -> None:
        """Wait until the address is at another machine than at the beginning."""
        self.wait_for(lambda: self.sampler.holder() not in (None, self._first_leader), seconds)

    def wait_until_well(self, seconds: float = WELL_SECONDS * SLOWER) -> None:
        """Wait until all is as it should be; nobody had to do anything for it."""
        deadline = time.monotonic() + seconds
        while wrong := self.tier.ailments(self.sampler.holder()):
            assert time.monotonic() < deadline, f"not well after {seconds} s: {wrong}"
            time.sleep(0.3)

    def read(self) -> None:
        """Find out what is there of all that was written."""
        with entered(self.workload.namespace), self.workload.connect() as connection:
            rows = connection.execute(f"SELECT number FROM {TABLE} FOR UPDATE").fetchall()  # noqa: S608
        self.found = {row[0] for row in rows}
        self.told |= {
            **verdict(self.workload, self.found),
            "outage": round(self.workload.outage(self.began), 1),
            **self.sampler.seconds(),
        }
        print(f"\n{self.fault.number} {self.told}")  # noqa: T201 - a report

    def check(self) -> None:
        """Hold what was measured against what is promised; say all that is wrong at once."""
        told, fault = self.told, self.fault
        most = {
            "lost": 0,
            "unexpected": 0,
            "stale": 0,
            "outage": fault.within * SLOWER,
            "two holders": 2,
            "holder does not lead": fault.astray * SLOWER,
        }
        wrong = [
            f"{what}: {told[what]}, at most {limit}"
            for what, limit in most.items()
            if told[what] > limit
        ]
        moved = self.tier.leader() != self._first_leader
        if fault.moves not in (None, moved):
            wrong.append(f"another leads: {moved}, expected {fault.moves}")
        assert not wrong, "; ".join(wrong)
