"""An engine that is killed at any step of a first `up`: the next runs finish what it began."""

from __future__ import annotations

import sys
import time

import pytest

from lab.on_records import running
from tests.engine.conftest import planned
from tests.engine.crashing import SEED, UP, drawn, finish

pytestmark = [pytest.mark.engine, pytest.mark.crashes]
SPREAD = 25


@pytest.fixture(scope="module", autouse=True)
def _event_log():
    """The engine's option that writes its events down is one of its hidden ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_DEBUG_COMMANDS", "true")
        yield


@pytest.fixture(scope="module")
def steps(tmp_path_factory) -> int:
    """How many events a first `up` has, counted on one that nobody disturbs."""
    home = tmp_path_factory.mktemp("undisturbed")
    with running("testing", home) as lab:
        lab.pulumi(*UP, "--event-log", str(home / "events"))
        assert planned(lab) == {}
    events = len((home / "events").read_text().splitlines())
    assert events > 100
    return events


def kill_at(lab, events, step: int) -> bool:
    """Run a first `up` and kill its engine at an event; tell whether it came so far."""
    with lab.started(*UP, "--event-log", str(events)) as process:
        while process.poll() is None:
            if events.exists() and events.read_bytes().count(b"\n") >= step:
                return True
            time.sleep(0.005)
    return False


@pytest.mark.parametrize("part", range(SPREAD))
def test_a_run_killed_at_any_step_is_finished_by_the_next(tmp_path, steps, part):
    step = drawn(part, SPREAD, steps)
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: killed at event {step} of {steps}\n")
    with running("testing", tmp_path) as lab:
        assert kill_at(lab, tmp_path / "events", step)
        finish(lab)
