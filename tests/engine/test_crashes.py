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
from lab.pve.failures import Failure, How
from lab.repairing import repaired
from tests.engine.conftest import planned, state

pytestmark = pytest.mark.engine
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))
SPREAD = 25
CALLS_SPREAD = 5
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
    events = len((home / "events").read_text().splitlines())
    assert events > 100
    return events


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> int:
    """How many calls that change something a first `up` makes."""
    with running("testing", tmp_path_factory.mktemp("counted")) as lab:
        lab.pulumi("up", "--yes", "--skip-preview")
        changing = [call for call in lab.calls if not call.startswith("GET")]
    assert len(changing) > 20
    return len(changing)


def kill_at(lab, events, step: int) -> bool:
    """Run a first `up` and kill its engine at an event; tell whether it came so far."""
    with lab.started(*UP, str(events)) as process:
        while process.poll() is None:
            if events.exists() and events.read_bytes().count(b"\n") >= step:
                return True
            time.sleep(0.005)
    return False


def finish(lab, *, failed: bool = False) -> None:
    """Do what `make up` does after a run that went wrong; nothing must be left of that one."""
    repaired(lab, failed=failed)
    lab.pulumi("up", "--yes", "--skip-preview")
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    known = {
        int(resource["inputs"]["vmId"])
        for resource in state(lab)["resources"]
        if resource["type"].endswith("VmLegacy")
    }
    owners = {int(volume.split(":")[1].split("/")[0]) for volume in lab.cluster.volumes}
    assert len(known) == 9
    assert lab.cluster.vms.keys() == owners == known
    assert len(lab.cluster.pools) == 1
    assert len(lab.cluster.files) == 1
    assert not state(lab).get("pending_operations")
    for vm in lab.cluster.vms.values():
        assert len({str(rule) for rule in vm.rules}) == len(vm.rules), "rules are there twice"


@pytest.mark.parametrize("part", range(SPREAD))
def test_a_run_killed_at_any_step_is_finished_by_the_next(tmp_path, steps, part):
    step = drawn(part, SPREAD, steps)
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: killed at event {step} of {steps}\n")
    with running("testing", tmp_path) as lab:
        assert kill_at(lab, tmp_path / "events", step)
        finish(lab)


@pytest.mark.parametrize("how", [How.REFUSED, How.UNANSWERED])
@pytest.mark.parametrize("part", range(CALLS_SPREAD))
def test_a_call_that_fails_or_gets_no_answer_is_made_good_by_the_next_run(
    tmp_path, calls, part, how
):
    nth = drawn(part, CALLS_SPREAD, calls)
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: call {nth} of {calls} is {how}\n")
    with running("testing", tmp_path) as lab:
        with lab.proxmox.state.failures.asked(Failure(how=how, nth=nth)):
            went = lab.pulumi("up", "--yes", "--skip-preview", check=False)
        finish(lab, failed=went.returncode != 0)


def drawn(part: int, parts: int, total: int) -> int:
    """Draw a step from one part of all, from 1."""
    chance = random.Random(f"{SEED}/{part}").random()
    return max(1, int((part + chance) / parts * total))
