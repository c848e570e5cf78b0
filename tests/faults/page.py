"""``docs/faults.md``: every case with its bound, what was measured, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.database.case import SLOWER

from .cases import known
from .runs import Fault, Runs

HEAD = """\
# The database tier under faults

Written by `make faults`; not by hand. {setting}

![Seconds without an acknowledged write](faults.svg)

Three Debian machines as in `Pulumi.testing.yaml`, made by the same deploys, on one computer. Two
clients write unique numbers through the database address and PgBouncer, about twenty a second, and
keep what became of each: acknowledged, refused, or unknown. Five times a second each machine is
asked whether it holds the address and whether it leads. Then all is read back.

A run holds its promises if nothing that was acknowledged is missing and nothing is there that
nobody wrote; nobody acknowledges on an old timeline once a newer one was seen; no pause is longer
than the case's bound (times {slower} on this computer, which all machines share); the address is
never at two machines, nor at one that does not say that it leads, for longer than 2 s (times
{slower}); and the tier is well again by itself within a minute (times {slower}): three members that
stream or lead, three members of etcd, the address with the leader.

- *Pause*: the longest time without an acknowledged write, least / median / most of all runs.
- *Lost*: acknowledged and missing, of so many acknowledged, all runs together.
- *Astray*: the longest time that the address was where nobody said that he leads.
- A machine whose power is cut loses what it had not synced.
"""

NOT_TRIED = {
    "F16, F22, at length": "each lasts a minute here, not five or ten",
    "F06, with a watchdog": "containers have no watchdog device; on VMs Patroni uses one",
    "F22, a gap in the archive": "nothing yet starts a full backup after one",
    "F23": "restores are `tests/lab/database/test_backups.py`",
    "F24": "runs that die are `tests/engine`, of the program, not of this tier",
    "F29": "a clock that steps: containers share the computer's clock",
}


def page(runs: Runs) -> str:
    """Return the whole page."""
    about = runs.about
    setting = (
        f"{about['date']}, {len(runs.rows)} runs of {len(runs.faults)} cases, "
        f"{about['cores']} processors, {about['memory_gib']} GiB, Linux {about['kernel']}; "
        "load while they ran: "
        f"{min(r.load for r in runs.rows):g} to {max(r.load for r in runs.rows):g}."
    )
    parts = [
        HEAD.format(setting=setting, slower=f"{SLOWER:g}"),
        "\n".join(_table(runs)),
        "\n".join(_broken(runs)),
        "\n".join(_missing(runs)),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _missing(runs: Runs) -> Iterator[str]:
    yield "## Not tried\n"
    ran = {run.number for run in runs.rows}
    for fault in known():
        if fault.number not in ran:
            yield f"- {fault.number}: {fault.what}: there is a case, it was not run."
    for what, why in NOT_TRIED.items():
        yield f"- {what}: {why}."


def _table(runs: Runs) -> Iterator[str]:
    yield "## The cases\n"
    yield (
        "| | fault | how | bound, s | pause, s | lost | unknown | two holders, s | astray, s "
        "| held |"
    )
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for fault in runs.faults:
        last = fault.last
        cells = [
            last.number,
            last.what,
            last.how,
            f"{last.within:g}",
            fault.shown("outage"),
            _lost(fault),
            fault.most("unknown"),
            fault.most("two holders"),
            fault.most("holder does not lead"),
            _verdict(fault),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from _besides(runs)


def _lost(fault: Fault) -> str:
    lost, of = (sum(fault.figures(figure)) for figure in ("lost", "acknowledged"))
    return f"{lost:g} of {of:g}" if of else "-"


def _verdict(fault: Fault) -> str:
    said = f"{fault.held} of {len(fault.runs)}"
    if fault.held < len(fault.runs):
        return f"**{said}**"
    if fault.last.control:
        return f"{said}, as a control: losing is seen"
    slow = any(
        max(fault.figures(figure), default=0) > bound
        for figure, bound in (
            ("outage", fault.last.within),
            ("holder does not lead", fault.last.astray),
        )
    )
    return f"{said}, over the bound of fast machines" if slow else said


COMMON = {
    "acknowledged", "refused", "unknown", "lost", "unexpected", "stale", "outage", "two holders",
    "holder does not lead", "no holder", "well again", "promotions",
}  # fmt: skip


def _besides(runs: Runs) -> Iterator[str]:
    """Yield what only some cases measure."""
    rows = [
        f"| {fault.last.number} | {figure} | {fault.shown(figure)} |"
        for fault in runs.faults
        for figure in sorted({key for run in fault.runs for key in run.told} - COMMON)
    ]
    if rows:
        yield "Besides, least / median / most:\n"
        yield "| | | |\n| --- | --- | ---: |"
        yield from rows


def _broken(runs: Runs) -> Iterator[str]:
    yield "## What did not hold\n"
    broken = [run for run in runs.rows if run.failure]
    if not broken:
        yield "Every run held every promise."
    for run in broken:
        yield f"- {run.number}, {run.at}, commit {run.commit}, load {run.load:g}: {run.failure}"
