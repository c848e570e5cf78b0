"""What the plan of a major upgrade finds out before anybody follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ops import upgrade_plan
from ops.reach import FailedError
from ops.tier import Tier

from .test_database import Cluster


@dataclass
class Asked(Cluster):
    """A cluster that answers what the plan asks for."""

    free: int = 1 << 40
    package: str = "Candidate: 18.1-1"
    prepared: int = 0
    stop: float = 99_000.0

    def answer(self, name: str, command: str) -> str:
        answers: dict[str, Callable[[], str]] = {
            " list ": lambda: super(Asked, self).answer(name, command),
            "apt-cache": lambda: self.package,
            "df ": lambda: f"{self.free}\n",
            "pg_database_size": lambda: "1048576000",
            "datallowconn": lambda: "postgres\ncold_db",
            "pg_extension": lambda: "pg_trgm",
            "pg_prepared_xacts": lambda: str(self.prepared),
            "pg_replication_slots": lambda: "0",
            "pg_attribute": lambda: "0",
            "pgbackrest": lambda: f'[{{"backup": [{{"timestamp": {{"stop": {self.stop}}}}}]}}]',
            "date": lambda: "100000",
        }
        return next(say() for word, say in answers.items() if word in command)


def planned(cluster: Asked) -> str:
    tier: Tier = cluster.tier
    return upgrade_plan.plan(upgrade_plan.look(tier, 18), 18)


def test_a_plan_without_obstacles_names_the_machines_and_what_they_hold():
    told = planned(Asked())

    assert "From 17 to 18: 1000 MiB, a leads. Checked." in told
    assert "On b, c: `patronictl reinit`" in told
    assert "pg_trgm" in told


def test_all_that_is_in_the_way_is_told_at_once():
    told = planned(Asked(free=1, package="Candidate: (none)", prepared=2, stop=0))

    assert told.count("have no postgresql-18") == 3
    assert told.count("MiB are free") == 3
    assert "a: 2 prepared transactions" in told
    assert "newest backup is older" in told
    assert "Checked" not in told


def test_a_tier_that_is_not_well_and_a_version_that_is_not_newer_are_refused():
    cluster = Asked()
    cluster.states["c"] = "stopped"

    with pytest.raises(FailedError, match="not well"):
        upgrade_plan.look(cluster.tier, 18)
    with pytest.raises(FailedError, match="a version after 17, got 17"):
        upgrade_plan.look(Asked().tier, 17)
