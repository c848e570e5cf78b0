"""Where our own time goes, step by step, and what nobody can go below."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping

from ..case import Case, Row
from ..contest import Contest
from ..cost import Command, Cost
from ..tools.pulumi import Empty
from ..tools.tool import ROLE, Job

START = "Python's own start"
STEPS = {
    START: "",
    "the worker's imports": (
        "from gevent import monkey; monkey.patch_all(); import pulumi_pyinfra.worker.main"
    ),
    "the provider's imports": "import pulumi_pyinfra.server",
    "the program's imports": "from pulumi_pyinfra import Deploy",
}


def cases(contest: Contest) -> Iterator[Case]:
    """Yield the one case."""
    job = Job(machines=contest.fleet.machines(3))
    empty = contest.another(Empty)
    worker = contest.worker
    rows = [Row(name=name, command=_python(code)) for name, code in STEPS.items()]
    rows += [
        Row(
            name="the worker checks arguments",
            setup=lambda: worker.prepare(job),
            command=worker.check,
        ),
        Row(name="the worker plans", command=worker.dry_run, after=_steps),
        Row(name="the worker applies, nothing to do", command=worker.converge, after=_steps),
        Row(name=empty.name, command=empty.converge),
    ]
    yield Case(
        part="Inside",
        size="3 hosts, 18 operations",
        hosts=3,
        rows=rows,
        setup=contest.held(job),
        budget_seconds=60,
    )


def _python(code: str) -> Callable[[], Command]:
    command = Command(argv=(sys.executable, "-c", code), folder=ROLE.parent.parent)
    return lambda: command


def _steps(cost: Cost) -> Mapping[str, float]:
    """Return the longest connecting and the longest work of a host, as the worker says them."""
    longest = {"connected": 0.0, "finished": 0.0}
    for line in cost.said.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("event") in longest:
            longest[told["event"]] = max(longest[told["event"]], told.get("seconds", 0))
    return {"connect_seconds": longest["connected"], "work_seconds": longest["finished"]}
