"""B7: the dry run of B2 over a longer way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from tests.pulumi_pyinfra.delay import delayed

from ..case import Case
from ..contest import Contest
from ..tools.tool import Job, Tool

HOSTS = 3
MILLISECONDS = (0, 10, 50)


def cases(contest: Contest) -> Iterator[Case]:
    """Yield round-trip times; the way is there as long as its case is measured."""
    near = contest.fleet.machines(HOSTS)
    for milliseconds in MILLISECONDS:
        with ExitStack() as ways:
            one_way = milliseconds / 2000
            far = [replace(m, port=ways.enter_context(delayed(m.port, one_way))) for m in near]
            job = Job(machines=far)
            rows = [contest.unchanged(tool, job, tool.dry_run) for tool in _planners(contest)]
            rows.append(contest.unchanged(contest.shell, job, contest.shell.converge))
            yield Case(
                part="B7",
                size=f"{milliseconds} ms",
                hosts=HOSTS,
                rows=rows,
                setup=contest.held(replace(job, machines=near)),
                budget_seconds=15,
            )


def _planners(contest: Contest) -> tuple[Tool, ...]:
    return (contest.worker, contest.pyinfra, contest.mitogen, contest.ansible)
