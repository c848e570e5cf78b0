"""B4: a step that takes five seconds, on several hosts: who really does them at once?"""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from ..contest import Contest
from ..tools.pulumi import Dynamic, ResourcePerHost
from ..tools.tool import Job

SIZES = (4, 16)


def cases(contest: Contest) -> Iterator[Case]:
    """Yield sizes beyond the four calls at a time of Pulumi's dynamic provider."""
    each, dynamic = contest.another(ResourcePerHost), contest.another(Dynamic)
    for size in SIZES:
        job = Job(machines=contest.fleet.machines(size), what="sleep")
        tools = (contest.ours, each, dynamic, contest.ansible, contest.shell)
        yield Case(
            part="B4",
            size=f"{size} hosts, 5 s each",
            hosts=size,
            rows=[contest.fresh(tool, job) for tool in tools],
            most_rounds=2,
            budget_seconds=20,
        )
