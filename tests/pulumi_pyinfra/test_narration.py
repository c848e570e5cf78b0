"""What is heard of hosts is told so that a person can act on it."""

from __future__ import annotations

import asyncio

import pytest

from pulumi_pyinfra import progress
from pulumi_pyinfra.narration import Narration
from pulumi_pyinfra.progress import Progress
from pulumi_pyinfra.protocol import Broken, Finished, Operation, Status, Unknown, Unreachable


def heard(*events) -> Narration:
    narration = Narration()
    for event in events:
        narration.hear(event)
    return narration


def would(host: str, name: str = "Write", **more) -> Operation:
    return Operation(host=host, name=name, **({"status": Status.CHANGES} | more))


def test_a_plan_has_a_summary_then_hosts_then_operations():
    narration = heard(
        would("b", details=("/x: mode 644 -> 600",), diff="-old\n+new"),
        would("a", diff="-old\n+new", at_least=True),
        would("a", "Same", status=Status.UNCHANGED),
        would("c", "Same", status=Status.UNCHANGED),
        Unreachable(host="d", reason="no route"),
        Unknown(host="e", paths=("port", "peers[0]")),
    )

    assert narration.plan(diffs=True).splitlines() == [
        "2 of 3 hosts would change, 2 operations in all",
        "e: not known yet: port, peers[0]",
        "d: unreachable: no route",
        "a: at least 1 of 2 operations would change",
        "  ~ Write",
        "      -old",
        "      +new",
        "b: 1 of 1 operations would change",
        "  ~ Write",
        "      /x: mode 644 -> 600",
        "      -old",
        "      +new",
        "c: nothing would change",
    ]
    assert "-old" not in narration.plan(diffs=False)


def test_hosts_that_would_change_alike_stand_together():
    narration = heard(*(would(f"h{n:02}") for n in range(15)))

    told = narration.plan(diffs=False).splitlines()

    assert told[0] == "15 of 15 hosts would change, 15 operations in all"
    assert told[1].startswith("h00, h01, ")
    assert told[1].endswith("h10 and 4 more: 1 of 1 operations would change")
    assert len(told) == 3


def test_what_can_not_be_tried_says_why():
    narration = heard(would("a", status=Status.FAILED, output="no such file"))

    assert "  ! Write\n      no such file" in narration.plan(diffs=False)
    assert narration.changes() == {"a": ["Write"]}


def test_a_failure_says_host_operation_command_exit_code_and_output():
    narration = heard(
        would("a", "Start", status=Status.FAILED, command="systemctl x", exit=3, output="l1\nl2"),
        Finished(host="a", failed=True),
        Finished(host="b", changed=1),
        Finished(host="c", skipped=2),
        Broken(host="d", reason="page.py:3: KeyError"),
    )

    assert narration.bad() == {
        "a": "a: Start: failed\n    exit code 3\n    command: systemctl x\n    l1\n    l2"
    }
    assert narration.succeeded == {"b"}
    assert narration.faults == ["d: page.py:3: KeyError"]


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0.01)
    return []


def tell(told, *events, wait=0.0):
    async def hear() -> dict[str, str]:
        async def say(text: str) -> None:
            told.append(text)

        with Progress(say) as at:
            for event in events:
                await at.hear(event)
                await asyncio.sleep(wait)
            return dict(at.running)

    return asyncio.run(hear())


def test_each_operation_is_told_in_one_line_when_it_has_ended(told):
    running = tell(
        told,
        would("a", status=Status.STARTED),
        would("a", status=Status.CHANGED),
        Finished(host="a", changed=1, skipped=2),
        would("b", "Install", status=Status.STARTED),
    )

    assert told == ["a: Write: changed", "a: 1 changed, 0 unchanged, 2 not started"]
    assert running == {"b": "Install"}


def test_an_operation_that_takes_long_is_told_while_it_runs(told):
    tell(told, would("a", status=Status.STARTED), would("a", status=Status.CHANGED), wait=0.1)

    assert told == ["a: Write: running", "a: Write: changed"]
