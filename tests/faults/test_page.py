"""The page of the faults says what was measured, and most of all what did not hold."""

from __future__ import annotations

import pytest

from .cases import known
from .page import page
from .picture import drawn
from .runs import Run, Runs, load

ABOUT = {"date": "2026-01-01", "cores": 2, "memory_gib": 24, "kernel": "6.1"}
GOOD = {
    "acknowledged": 100, "refused": 0, "unknown": 1, "lost": 0, "unexpected": 0, "stale": 0,
    "outage": 20.5, "two holders": 0.0, "holder does not lead": 0.3, "address gone": 1.2,
}  # fmt: skip


def run(number: str = "F08", failure: str = "", *, control: bool = False, **told: float) -> Run:
    return Run(
        number=number, what="the power is cut", how="a cut", within=32, at="now", control=control,
        told={**GOOD, **told}, failure=failure, commit="abc",
    )  # fmt: skip


@pytest.fixture
def runs():
    return Runs(ABOUT, [run("F10"), run("F08", outage=22), run("F08", outage=25), run("F08")])


def test_a_case_has_one_row_with_all_of_its_runs(runs):
    row = next(line for line in page(runs).splitlines() if line.startswith("| F08"))

    assert "20.5 / 22 / 25" in row
    assert "0 of 300" in row
    assert row.endswith("3 of 3 |")
    assert page(runs).index("| F08") < page(runs).index("| F10")


def test_a_pause_that_only_slow_machines_may_have_is_pointed_out(runs):
    assert "over the bound" not in page(runs)
    for slow in ({"outage": 33}, {"holder does not lead": 2.1}):
        told = page(runs.more([run("F08", **slow)]))
        assert "4 of 4, over the bound of fast machines" in told


def test_what_did_not_hold_is_said_with_its_reason(runs):
    told = page(runs.more([run("F08", "lost: 3, at most 0", lost=3)]))

    assert "**3 of 4**" in told
    assert "- F08, now, commit abc, load 0: lost: 3, at most 0" in told
    assert "3 of 400" in told


def test_a_run_that_never_came_to_its_end_counts_as_one_that_did_not_hold():
    gone = Run(number="F08", what="w", how="h", within=1, at="now", told={}, failure="not well")

    told = page(Runs(ABOUT, [gone]))
    assert "**0 of 1**" in told
    assert "F08  w" not in drawn(Runs(ABOUT, [gone]))


def test_what_only_one_case_measures_is_in_a_table_of_its_own(runs):
    assert "| F08 | address gone | 1.2 |" in page(runs)


def test_a_case_that_was_not_run_is_said_to_be_missing(runs):
    assert "- F09: The leader is cut off" in page(runs)
    assert "- F08:" not in page(runs)


def test_every_case_has_a_number_of_its_own():
    numbers = [fault.number for fault in known()]

    assert len(numbers) > 30
    assert len({*numbers}) == len(numbers)


def test_a_control_that_lost_has_done_its_duty():
    told = page(Runs(ABOUT, [run("Control", lost=40, control=True)]))

    assert "40 of 100" in told
    assert "1 of 1, as a control: losing is seen" in told


def test_the_picture_marks_a_case_that_did_not_hold(runs):
    assert "#bf8700" not in drawn(runs)
    assert "#bf8700" in drawn(runs.more([run("F08", "lost")]))


def test_what_is_kept_is_read_again(runs, tmp_path):
    runs.save(tmp_path / "faults.json")

    assert load(tmp_path / "faults.json") == runs
