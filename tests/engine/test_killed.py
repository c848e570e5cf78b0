"""An engine that is killed at any step of a first `up`: the next runs finish what it began."""

from __future__ import annotations

import json
import sys
import time

import pytest

from lab.on_records import running
from tests.engine.conftest import planned
from tests.engine.crashing import SEED, SPREAD, UP, drawn, finish

pytestmark = [pytest.mark.engine, pytest.mark.crashes]


@pytest.fixture(scope="module")
def steps(tmp_path_factory) -> range:
    """The events of an undisturbed first `up`, from its first resource on."""
    home = tmp_path_factory.mktemp("undisturbed")
    with running("testing", home) as lab:
        lab.pulumi(*UP, "--event-log", str(home / "events"))
        assert planned(lab) == {}
    events = (home / "events").read_text().splitlines()
    first = next(number for number, event in enumerate(events, 1) if "resourcePreEvent" in event)
    assert len(events) - first > 100
    return range(first, len(events))


def kill_at(lab, events, step: int) -> bool:
    """Run a first `up` and kill its engine at an event; tell whether it came so far."""
    with lab.started(*UP, "--event-log", str(events)) as process:
        while process.poll() is None:
            if events.exists() and events.read_bytes().count(b"\n") >= step:
                return True
            time.sleep(0.005)
    return False


def last_of(events) -> str:
    """Return what the engine was at when it died, as it wrote it down."""
    for line in reversed(events.read_text().splitlines()):
        try:
            event = json.loads(line)
        except ValueError:  # cut off
            continue
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            if kind in event:
                at = event[kind]["metadata"]
                done = "" if kind == "resourcePreEvent" else "done: "
                return f"{done}{at['op']} {at['urn'].rsplit('::', 1)[1]}"
    return "before the first resource"


@pytest.mark.parametrize("part", range(SPREAD))
def test_a_run_killed_at_any_step_is_finished_by_the_next(tmp_path, steps, part):
    step = steps[drawn(part, SPREAD, len(steps)) - 1]
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: killed at event {step} of {steps.stop}\n")
    events = tmp_path / "events"
    with running("testing", tmp_path) as lab:
        assert kill_at(lab, events, step)
        finish(lab, f"killed at event {step} of {steps.stop}: {last_of(events)}")
