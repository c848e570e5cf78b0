"""B2: nothing is to be done."""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case, Row
from ..contest import Contest
from ..tools.pulumi import Empty, PreviewFirst
from ..tools.tool import Job, Tool

# Hosts and services (nine operations each).
SIZES = ((3, 2), (3, 7), (10, 7), (50, 2))
# Operations on all hosts together; beyond that Ansible takes minutes.
_MOST_FOR_ANSIBLE = 200


def cases(contest: Contest) -> Iterator[Case]:
    """Yield sizes; dry runs of the peers, who take as long for them, only for the first."""
    empty, preview_first = contest.another(Empty), contest.another(PreviewFirst)
    for size, services in SIZES:
        job = Job(machines=contest.fleet.machines(size), services=services)
        headline = (size, services) == SIZES[0]
        ours, worker = contest.ours, contest.worker
        rows: list[Row] = [
            contest.unchanged(empty, job, empty.converge),
            contest.unchanged(ours, job, ours.converge),
            contest.unchanged(preview_first, job, preview_first.converge),
            contest.unchanged(ours, job, ours.dry_run, "ours: pulumi preview"),
            contest.unchanged(ours, job, ours.look, "ours: pulumi up --refresh, looks inside"),
            contest.unchanged(worker, job, worker.dry_run, "our worker alone, dry run"),
        ]
        tools: list[Tool] = [contest.pyinfra, contest.mitogen]
        if size * job.operations <= _MOST_FOR_ANSIBLE:
            tools.append(contest.ansible)
        for tool in tools:
            rows.append(contest.unchanged(tool, job, tool.converge, f"{tool.name}, run"))
            if headline:
                rows.append(contest.unchanged(tool, job, tool.dry_run, f"{tool.name}, dry run"))
        rows.append(contest.unchanged(contest.shell, job, contest.shell.converge))
        yield Case(
            part="B2",
            size=f"{size} hosts, {job.operations} operations",
            hosts=size,
            rows=rows,
            setup=contest.held(job),
            budget_seconds=120 if headline else 20,
        )
