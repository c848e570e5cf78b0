"""A database tier for each test file that wants one, and one for all faults; none stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.machines.host import HostError
from tests.lab.machines.conftest import a_lab, image

from .case import MARKS, Case, Fault
from .record import kept
from .tier import Tier

__all__ = ["image"]
REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.when == "call":
        item.stash[REPORT] = report
    return report


@pytest.fixture(scope="module")
def fresh(image) -> Iterator[Tier]:
    """Three machines that nobody has changed yet."""
    with a_lab(image) as lab:
        tier = Tier(lab)
        tier.start(*tier.names)
        yield tier


@pytest.fixture(scope="module")
def tier(fresh) -> Tier:
    """Three machines that are a database."""
    fresh.apply()
    return fresh


@dataclass
class Standing:
    """A tier that outlives one case after the other, but not one that leaves it unwell."""

    image: Path
    _tier: Tier | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def tier(self) -> Tier:
        if self._tier is None:
            self._tier = Tier(self._stack.enter_context(a_lab(self.image)))
            self._tier.start(*self._tier.names)
            self._tier.apply()
        return self._tier

    def holds(self, tier: Tier) -> bool:
        """Tell whether this is the tier that stands."""
        return tier is self._tier

    def after(self, case: Case) -> None:
        """Keep the tier for the next case if it is well."""
        with suppress(AssertionError, HostError), case.sampler.running():
            case.wait_until_well(30)
            return
        self.discard()

    def discard(self) -> None:
        self._tier = None
        self._stack.close()


@pytest.fixture(scope="session")
def standing(image) -> Iterator[Standing]:
    made = Standing(image)
    try:
        yield made
    finally:
        made.discard()


@pytest.fixture
def case(request, standing, tmp_path) -> Iterator[Case]:
    """Have a tier that is well, and keep what came of the case."""
    fault: Fault = request.node.get_closest_marker("fault").kwargs["fault"]
    tier = standing.tier()
    authority = tmp_path / "ca.pem"
    authority.write_text(tier.trusted)
    made = Case(tier, fault, str(authority))
    yield made
    report = request.node.stash.get(REPORT, None)
    if report is not None:
        kept(fault, made.told, failure=report.longreprtext if report.failed else "")
    if report is None or report.failed:
        standing.after(made)
