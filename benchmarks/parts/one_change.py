"""B8: one word changes on one of fifty hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ..case import Case, Row
from ..contest import Contest
from ..cost import CommandFailedError, Cost
from ..fleet import Machine
from ..tools.tool import Job, Tool

HOSTS = 50
_NEW = "changed"


def cases(contest: Contest) -> Iterator[Case]:
    """Yield the one case, with the peers told which host it is, and not."""
    machines = contest.fleet.machines(HOSTS)
    job = Job(machines=machines)
    rows = [_row(contest, contest.ours, job, limited=False)]
    for tool in (contest.pyinfra, contest.mitogen, contest.ansible, contest.shell):
        rows += [_row(contest, tool, job, limited=limited) for limited in (True, False)]
    yield Case(
        part="B8",
        size=f"1 of {HOSTS} hosts, 18 operations",
        hosts=HOSTS,
        rows=rows,
        setup=contest.held(job),
        budget_seconds=20,
    )


def _row(contest: Contest, tool: Tool, job: Job, *, limited: bool) -> Row:
    target = job.machines[HOSTS // 2]
    changed = replace(target, word=_NEW)
    other = replace(job, machines=[changed if m == target else m for m in job.machines])

    def setup() -> None:
        tool.prepare(job)
        tool.holds()

    def before() -> None:
        _restore(contest, replace(job, machines=[target]))
        tool.recall()
        tool.prepare(other)

    return Row(
        name=f"{tool.name}, told which" if limited else tool.name,
        setup=setup,
        before=before,
        command=lambda: tool.converge(limit=changed if limited else None),
        after=_effect(target),
    )


def _restore(contest: Contest, job: Job) -> None:
    contest.held(job)()


def _effect(target: Machine) -> Callable[[Cost], Mapping[str, float]]:
    def after(cost: Cost) -> Mapping[str, float]:
        settings = [target.folder / f"service{n}" / "settings.conf" for n in range(2)]
        if not all(f"word = {_NEW}\n" in path.read_text() for path in settings):
            raise CommandFailedError(f"the change is not there\n{cost.said}")
        last = max(path.stat().st_ctime for path in settings)
        return {"effect_seconds": last - cost.began}

    return after
