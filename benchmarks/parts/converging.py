"""B1 and B3: a first converge, on more and more hosts, of more and more work."""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from ..contest import Contest
from ..tools.tool import Job, Tool, What, hosts

SIZES = (1, 3, 10, 25, 50, 100)
WORDS: dict[What, str] = {"raw": "1 raw command", "modules": "4 modules", "role": "18 operations"}
_HEADLINE = (3, 10)
# The largest number of hosts that a contender is asked to do it on; more would take minutes.
_MOST: dict[What, dict[str, int]] = {
    "raw": {"Ansible": 50, "Ansible + Mitogen": 50},
    "modules": {"Ansible": 25, "Ansible + Mitogen": 25},
    "role": {"Ansible": 10, "Ansible + Mitogen": 25, "pyinfra": 50},
}


def first(contest: Contest) -> Iterator[Case]:
    """Yield B1: the role on a few hosts."""
    for size in _HEADLINE:
        yield _case(contest, "B1", "role", size)


def growing(contest: Contest) -> Iterator[Case]:
    """Yield B3: all kinds of work on all sizes, but for what B1 measures."""
    for what in WORDS:
        for size in SIZES:
            if what != "role" or size not in _HEADLINE:
                yield _case(contest, "B3", what, size)


def _case(contest: Contest, part: str, what: What, size: int) -> Case:
    job = Job(machines=contest.fleet.machines(size), what=what)
    tools: list[Tool] = [
        contest.worker,
        contest.ours,
        contest.pyinfra,
        contest.mitogen,
        contest.ansible,
        contest.shell,
    ]
    rounds = 1 if size == SIZES[-1] else 3
    return Case(
        part=part,
        size=f"{hosts(size)}, {WORDS[what]}",
        hosts=size,
        rows=[
            contest.fresh(tool, job) for tool in tools if size <= _MOST[what].get(tool.name, size)
        ],
        most_rounds=100 if part == "B1" else rounds,
        budget_seconds=60 if part == "B1" else 10,
    )
