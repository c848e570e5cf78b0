"""The verdict on numbers that were written: what counts as lost, as unknown, as a second leader."""

from __future__ import annotations

from pathlib import Path

from .workload import Try, Workload, verdict


def workload(*tries: Try) -> Workload:
    return Workload(Path("/nowhere"), {}, tries=list(tries))


def acknowledged(number: int, at: float, timeline: int = 1) -> Try:
    return Try(number, at - 0.1, at, "acknowledged", timeline=timeline)


def test_what_was_acknowledged_and_is_not_there_is_lost():
    told = verdict(workload(acknowledged(1, 1), acknowledged(2, 2)), {2})

    assert told["lost"] == 1
    assert told["acknowledged"] == 2


def test_what_is_unknown_may_be_there_or_not():
    unknown = [Try(1, 0, 1, "unknown"), Try(2, 1, 2, "unknown")]

    assert verdict(workload(*unknown), {2})["lost"] == 0
    assert verdict(workload(*unknown), {2})["unexpected"] == 0


def test_what_nobody_asked_for_is_unexpected():
    assert verdict(workload(acknowledged(1, 1)), {1, 7})["unexpected"] == 1


def test_an_acknowledgement_on_an_old_timeline_after_a_newer_one_is_a_second_leaders():
    new, late = acknowledged(1, 5, timeline=2), acknowledged(2, 6, timeline=1)

    assert verdict(workload(new, late), {1, 2})["stale"] == 1


def test_an_acknowledgement_that_was_under_way_while_another_took_over_is_nobodys_fault():
    slow = Try(1, 1, 6, "acknowledged", timeline=1)

    assert verdict(workload(acknowledged(2, 5, timeline=2), slow), {1, 2})["stale"] == 0


def test_the_pause_reaches_from_the_last_write_before_the_fault_to_the_first_after():
    writes = workload(acknowledged(1, 10), acknowledged(2, 15), acknowledged(3, 15.5))

    assert writes.outage(since=11) == 5
    assert writes.availability(since=10) == 1 - 5 / 5.5
