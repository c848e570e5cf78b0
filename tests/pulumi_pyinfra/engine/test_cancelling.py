"""An interrupted update finishes what runs, starts nothing else, and the next one goes on there.

On Ctrl-C or SIGTERM the engine calls the provider's ``Cancel`` and waits for the running ``Create``
or ``Update`` without any limit; only the program has five seconds. No signal reaches the provider:
it is in the process group of the language host. On a second one the engine calls ``Cancel`` again,
kills the provider once that is answered, and writes no state any more.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from .three_hosts import ThreeHosts, until

pytestmark = pytest.mark.engine


def assert_stopped(hosts: ThreeHosts, **last: int) -> None:
    """Each host has done its operations up to its last one, and no other."""
    for host, number in last.items():
        done = [str(n) for n in range(1, number + 1)]
        assert hosts.lines(host, "count") == done
        assert sorted(p.name for p in (hosts.folder / host / "done").glob("*")) == sorted(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_runs_is_finished_and_the_next_update_goes_on_there(group, number):
    group.want(serial=2, canary=True)
    update = group.held_at(b="4 within", c="6 within")

    update.signal(number)
    update.wait_for("waited for, nothing follows it: b: Step 4")
    group.hosts.let_go()

    assert update.wait() != 0
    assert "cancelled; not changed: b, c" in update.said
    assert_stopped(group.hosts, a=10, b=4, c=6)
    assert group.applied() == {"a"}
    group.assert_nothing_left()

    told = group.up()

    assert "a: Step" not in told
    group.hosts.assert_done_once()
    assert group.applied() == {"a", "b", "c"}


def test_no_host_is_started_after_a_cancellation(group):
    group.want(serial=1)
    update = group.held_at(a="4 within")

    update.signal(signal.SIGINT)
    update.wait_for("^C received")
    group.hosts.let_go()

    assert update.wait() != 0
    assert_stopped(group.hosts, a=4)
    assert group.hosts.lines("b", "tries") == group.hosts.lines("c", "tries") == []


def test_an_operation_is_waited_for_longer_than_the_engine_waits_for_its_program(group):
    group.want(serial=1)
    update = group.held_at(a="4 within")

    update.signal(signal.SIGINT)
    until(lambda: "program" not in group.roles(), "the engine lets its program live")
    assert group.roles() == ["engine", "language host", "provider", "worker"]
    group.hosts.let_go()

    assert update.wait() != 0
    assert "cancelled; not changed: a, b, c" in update.said
    assert_stopped(group.hosts, a=4)
    group.assert_nothing_left()


def test_a_second_interrupt_leaves_the_operation_to_itself_and_the_next_update_waits_for_it(group):
    group.want(serial=1)
    update = group.held_at(b="4 within")

    update.signal(signal.SIGINT)
    update.wait_for("waited for, nothing follows it: b: Step 4")
    update.signal(signal.SIGINT)

    assert update.wait() != 0
    assert "not waited for, it goes on by itself: b: Step 4" in update.said
    until(lambda: group.roles() == ["worker"], "more than the worker is left")

    again = group.start()
    again.wait_for("b: Wait for what an earlier run left running: running")
    assert group.hosts.lines("b", "tries") == ["1", "2", "3", "4"]
    group.hosts.let_go()

    assert again.wait() == 0, again.said
    group.hosts.assert_done_once()
    group.assert_nothing_left()


def test_a_signal_to_every_process_at_once_is_no_other_cancellation(group):
    group.want(serial=1)
    update = group.held_at(b="4 within")

    for process in group.processes():
        with suppress(ProcessLookupError):  # the engine may have ended it already
            os.kill(process, signal.SIGTERM)
    update.wait_for("SIGTERM received")
    group.hosts.let_go()

    assert update.wait() != 0
    assert "cancelled; not changed: b, c" in update.said
    assert_stopped(group.hosts, a=10, b=4)
    assert group.applied() == {"a"}
    group.assert_nothing_left()
