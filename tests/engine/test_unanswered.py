"""A call of a first `up` is refused, or done and not answered: the next runs finish it."""

from __future__ import annotations

import sys

import pytest

from lab.clouds import Fault
from lab.on_records import running
from lab.pve.failures import Failure, How
from tests.engine.crashing import AT_CLOUDFLARE, SEED, SPREAD, UP, drawn, finish

pytestmark = [pytest.mark.engine, pytest.mark.crashes]
FEW = max(1, SPREAD // 5)


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> int:
    """How many calls that change something a first `up` makes."""
    with running("testing", tmp_path_factory.mktemp("counted")) as lab:
        lab.pulumi(*UP)
        changing = [call for call in lab.calls if not call.startswith("GET")]
    assert len(changing) > 20
    return len(changing)


@pytest.mark.parametrize("how", [How.REFUSED, How.UNANSWERED])
@pytest.mark.parametrize("part", range(FEW))
def test_a_call_that_fails_or_gets_no_answer_is_made_good_by_the_next_run(
    tmp_path, calls, part, how
):
    nth = drawn(part, FEW, calls)
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: call {nth} of {calls} is {how}\n")
    with running("testing", tmp_path) as lab:
        with lab.proxmox.state.failures.asked(Failure(how=how, nth=nth)):
            went = lab.pulumi(*UP, check=False)
        finish(lab, f"call {nth} of {calls} is {how}", failed=went.returncode != 0)


@pytest.mark.parametrize("kind", AT_CLOUDFLARE)
def test_what_cloudflare_made_and_did_not_say_is_found(tmp_path, kind):
    with running("testing", tmp_path) as lab:
        lost = Fault(match=f"POST {kind}", effect="lost answer", times=10)
        lab.flare.planned.append(lost)
        went = lab.pulumi(*UP, check=False)
        lab.flare.planned.clear()
        assert lost.seen
        finish(lab, f"{kind} is made and not answered", failed=went.returncode != 0)
