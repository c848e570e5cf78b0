"""An engine that is killed at any step of a first `up`: the next runs finish it, nothing is left.

`CRASH_SEED` chooses the steps; without it each run draws its own, and a failure prints it.
"""

from __future__ import annotations

import os
import random
import sys
import time

import pytest

from lab.on_records import running
from lab.repairing import repaired
from tests.engine.conftest import planned, state

pytestmark = pytest.mark.engine
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))
SPREAD = 25
UP = ("up", "--yes", "--skip-preview", "--event-log")


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
        lab.pulumi(*UP, str(home / "events"))
        assert planned(lab) == {}
    return len((home / "events").read_text().splitlines())


def kill_at(lab, events, step: int) -> bool:
    """Run a first `up` and kill its engine at an event; tell whether it came so far."""
    with lab.started(*UP, str(events)) as process:
        while process.poll() is None:
            if events.exists() and events.read_bytes().count(b"\n") >= step:
                return True
            time.sleep(0.005)
    return False


@pytest.mark.parametrize("part", range(SPREAD))
def test_a_run_killed_at_any_step_is_finished_by_the_next(tmp_path, steps, part):
    drawn = random.Random(f"{SEED}/{part}").random()
    step = max(1, int((part + drawn) / SPREAD * steps))
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: killed at event {step} of {steps}\n")
    with running("testing", tmp_path) as lab:
        killed = kill_at(lab, tmp_path / "events", step)
        repaired(lab)
        lab.pulumi("up", "--yes", "--skip-preview")
        lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

        known = {
            int(resource["inputs"]["vmId"])
            for resource in state(lab)["resources"]
            if resource["type"].endswith("VmLegacy")
        }
        assert killed
        assert steps > 100
        assert lab.cluster.vms.keys() == known
        assert len(known) == 9
        assert {volume.split(":")[1].split("/")[0] for volume in lab.cluster.volumes} == {
            str(vm_id) for vm_id in known
        }
        assert not state(lab).get("pending_operations")
        for vm in lab.cluster.vms.values():
            assert len({str(rule) for rule in vm.rules}) == len(vm.rules), "rules are there twice"
