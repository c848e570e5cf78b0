"""Whatever is killed at whatever operation: the next update makes it good, and repeats nothing.

What may not be repeated is an act that is not idempotent (``echo >> count``). Its operation is
written as it must be: the act and the mark that it was done are one command. Two things make that
enough, and each point is killed in both: ``4 before``, before that command was sent, and ``4
within``, after the act and before the mark, where the command has to come to its end by itself and
the next update has to wait for it.

Sampled here: each operation is killed once, on one of three hosts. ``PYINFRA_EVERY_POINT=1`` kills
each on every host.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from .three_hosts import NAMES, STEPS, Group, until

pytestmark = pytest.mark.engine


def points() -> Iterator[tuple[str, str, str]]:
    """The points at which something is killed, in the order in which an update comes to them."""
    for place, host in enumerate(NAMES):
        for number in STEPS:
            if os.environ.get("PYINFRA_EVERY_POINT") or int(number) % len(NAMES) == place:
                yield host, number, "within" if (int(number) + place) % 2 else "before"


def kill_connections(group: Group, host: str) -> None:
    for process in group.hosts.sessions(host):
        os.kill(process, signal.SIGKILL)


def kill_engine(group: Group, _: str) -> None:
    group.kill("engine")
    # It looks for its engine every five minutes only; nothing of ours is below it any more.
    until(lambda: group.roles() == ["language host", "worker"], "the provider outlives the engine")
    group.kill("language host")
    group.project.pulumi("cancel", "--yes")


KILL: dict[str, Callable[[Group, str], None]] = {
    "worker": lambda group, _: group.kill("worker"),
    "provider": lambda group, _: group.kill("provider"),
    "engine": kill_engine,
    "connection": kill_connections,
}


@pytest.mark.parametrize("victim", KILL)
def test_a_kill_at_any_operation_is_made_good_by_the_next_update(group, victim):
    if victim == "engine":  # in an update; the others in a creation, as long as it takes
        group.want(steps=0)
        group.up()
    group.want(serial=1)
    tries: dict[str, list[str]] = {}
    for host, number, point in points():
        update = group.held_at(**{host: f"{number} {point}"})

        KILL[victim](group, host)

        assert update.wait() != 0
        group.hosts.let_go()
        group.assert_nothing_left()
        # Without an engine or a provider the worker lives, and ends its operation.
        broken_off = point == "before" and victim in ("worker", "connection")
        assert group.hosts.lines(host, "count") == STEPS[: int(number) - broken_off]
        if broken_off:
            tries.setdefault(host, []).append(number)

    group.up()

    group.hosts.assert_done_once(tries=tries)
    assert group.applied() == {*NAMES}
    group.project.up("--expect-no-changes")


def test_a_killed_worker_is_told_with_what_ran_where_and_what_was_done_is_known(group):
    group.want(serial=2, canary=True)
    update = group.held_at(b="4 within")
    update.wait_for("c: 10 changed")

    group.kill("worker")

    assert update.wait() != 0
    reason = "the worker was ended by SIGKILL, as it happens when memory runs out, before"
    (line,) = [line for line in update.said.splitlines() if reason in line]
    assert "b: " in line
    assert "Step 4" in line
    assert group.applied() == {"a", "c"}


def test_a_provider_without_the_process_that_started_it_ends_as_if_it_were_cancelled(group):
    group.want(serial=1)
    update = group.held_at(b="4 within")

    group.kill("language host")
    update.wait_for("b: Step 4: running")
    group.hosts.let_go()

    assert update.wait() != 0
    assert group.hosts.lines("b", "count") == STEPS[:4]
    assert group.applied() == {"a"}
    group.assert_nothing_left()
