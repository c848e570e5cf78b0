"""The goals, each with what was measured for it."""

from __future__ import annotations

from collections.abc import Iterator

from .fit import Fit
from .parts.converging import WORDS
from .result import Result, Results
from .table import best_peer, table, times

UP, PREVIEW = "ours: pulumi up", "ours: pulumi preview"
WORKER, WORKER_DRY = "our worker alone", "our worker alone, dry run"
MITOGEN, MITOGEN_DRY = "Ansible + Mitogen", "Ansible + Mitogen, dry run"
ANSIBLE, START = "Ansible", "Python's own start"
THREE, TEN, TWENTY_FIVE = (f"{hosts} hosts, 18 operations" for hosts in (3, 10, 25))

_DRY_RUN_SECONDS, _NO_OP_TIMES, _DRY_RUN_TIMES, _CPU_SHARE = 0.6, 10, 5, 0.25


def goals(results: Results) -> str:
    """Return the table of the goals."""
    return table(["goal", "measured", "met"], [list(row) for row in _rows(results)])


def _rows(results: Results) -> Iterator[tuple[str, str, str]]:
    for size in results.sizes("B2"):
        yield from _no_op(results, size)
    yield from _dry_run(results)
    for part, size in (("B1", THREE), ("B1", TEN), ("B3", TWENTY_FIVE)):
        yield from _first(results, part, size)
    yield from _cpu(results)
    yield from _one_change(results)


def _no_op(results: Results, size: str) -> Iterator[tuple[str, str, str]]:
    runs = (row for row in results.of("B2", size) if row.name.endswith(", run"))
    ours, peer = results.find("B2", size, UP), best_peer(runs)
    if ours and peer:
        ratio = peer.median() / ours.median()
        said = f"{_s(ours)} against {_s(peer)} ({peer.name}): {times(ours.median(), peer.median())}"
        yield f"no-op `up` 10x faster than the best peer, {size}", said, _met(ratio >= _NO_OP_TIMES)


def _dry_run(results: Results) -> Iterator[tuple[str, str, str]]:
    ours = results.find("B2", THREE, WORKER_DRY)
    peer = results.find("B2", THREE, MITOGEN_DRY)
    start = results.find("Inside", THREE, START)
    if ours and peer:
        ratio = peer.median() / ours.median()
        said = f"{_s(ours)} against {_s(peer)}: {times(ours.median(), peer.median())}"
        goal = f"dry run 5x faster than Ansible + Mitogen, {THREE}"
        yield goal, said, _met(ratio >= _DRY_RUN_TIMES)
    if ours and start:
        beside = ours.median() - start.median()
        goal = f"dry run under 0.6 s beside Python's own start, {THREE}"
        yield goal, f"{beside:.2f} s", _met(beside < _DRY_RUN_SECONDS)


def _first(results: Results, part: str, size: str) -> Iterator[tuple[str, str, str]]:
    ours, peer = results.find(part, size, UP), results.find(part, size, MITOGEN)
    if ours and peer:
        said = f"{_s(ours)} against {_s(peer)}"
        goal = f"first converge not slower than Ansible + Mitogen, {size}"
        yield goal, said, _met(ours.median() <= peer.median())


def _cpu(results: Results) -> Iterator[tuple[str, str, str]]:
    ours, peer = (Fit.of(results, WORDS["role"], n, "cpu_seconds") for n in (UP, ANSIBLE))
    if ours and peer:
        share = ours.each / peer.each
        said = f"{ours.each * 1000:.0f} ms against {peer.each * 1000:.0f} ms: {share:.0%}"
        goal = "controller CPU of a further host at most a quarter of Ansible's, first converge"
        yield goal, said, _met(share <= _CPU_SHARE)
    for size in (THREE, TEN):
        up, all_of_it = results.find("B1", size, UP), results.find("B1", size, ANSIBLE)
        if up and all_of_it:
            share = up.median("cpu_seconds") / all_of_it.median("cpu_seconds")
            goal = f"the same with all that is fixed, engine and provider among it, {size}"
            yield goal, f"{share:.0%}", _met(share <= _CPU_SHARE)


def _one_change(results: Results) -> Iterator[tuple[str, str, str]]:
    for size in results.sizes("B8"):
        ours = results.find("B8", size, UP)
        if ours:
            logins = ours.median("logins")
            yield "one change touches one host", f"{logins:.0f} login", _met(logins == 1)


def _s(row: Result) -> str:
    return f"{row.median():.2f} s"


def _met(yes: bool) -> str:
    return "yes" if yes else "**no**"
