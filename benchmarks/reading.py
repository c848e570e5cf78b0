"""One sentence for each table, from its numbers; where we lose it says so."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from .fit import Fit
from .goals import UP, WORKER
from .result import Result, Results
from .table import best_peer, times
from .tools.tool import hosts

_FLOOR = "shell over ssh"


def of_case(results: Results, part: str, size: str, mine: str = UP) -> str:
    """Say how we stand against the best peer and the floor."""
    ours, rows = results.find(part, size, mine), results.of(part, size)
    peer, floor = best_peer(rows), results.find(part, size, _FLOOR)
    if ours is None or peer is None:
        return "Not all of it was measured."
    said = [f"{mine} takes {ours.median():.2f} s, {_compared(ours, peer)}"]
    if floor:
        said.append(_compared(ours, floor))
    behind = [r.name for r in rows if r.kind == "peer" and r.rounds and r.median() < ours.median()]
    end = f" We lose to {_list(behind)} here." if behind else ""
    return f"{', and '.join(said)}.{end}"


def of_growth(results: Results, words: str) -> str:
    """Say what each further host costs, and what a thousand would."""
    ours, cpu = (Fit.of(results, words, WORKER, f) for f in ("seconds", "cpu_seconds"))
    memory = Fit.of(results, words, WORKER, "memory_mib")
    if not (ours and cpu and memory):
        return ""
    most = max(ours.points)
    size = f"{hosts(most)}, {words}"
    peaks = [results.find("B3", size, name) for name in (WORKER, UP)]
    told = [f"{peak.median('memory_mib'):.0f} MiB ({peak.name})" for peak in peaks if peak]
    return (
        f"A further host costs our worker {ours.each * 1000:.0f} ms "
        f"({cpu.each * 1000:.0f} ms of CPU, {memory.each:.2f} MiB). "
        f"{hosts(most)} at once take {_list(told)}. "
        f"The line through {_list(map(str, ours.points))} hosts would give 1,000 hosts "
        f"{ours.at(1000):.0f} s and {memory.at(1000):.0f} MiB."
    )


def of_plateau(results: Results) -> str:
    """Say who does five-second steps at once."""
    size = results.sizes("B4")[-1]
    group, dynamic = (
        results.find("B4", size, name)
        for name in (UP, "pulumi's dynamic provider, a resource per host")
    )
    if not (group and dynamic):
        return ""
    at_once = 5 * group.hosts / dynamic.median()
    return (
        f"On {size}, one Deploy takes {group.median():.1f} s, Pulumi's dynamic provider "
        f"{dynamic.median():.1f} s: not more than {at_once:.1f} at a time, its plateau of four."
    )


def round_trips(results: Results, name: str) -> float | None:
    """Return how many round trips in a row a contender makes, by its quickest rounds."""
    quickest = {
        int(row.size.split()[0]) / 1000: min(row.figures["seconds"])
        for row in results.of("B7")
        if row.name == name and row.rounds
    }
    if len(quickest) < 2:  # noqa: PLR2004 - a line has two points
        return None
    return statistics.linear_regression(list(quickest), list(quickest.values())).slope


def of_change(results: Results) -> str:
    """Say how long one change takes until it is there, and how many hosts are asked for it."""
    (size,) = results.sizes("B8")
    ours = results.find("B8", size, UP)
    peers = [r for r in results.of("B8", size) if r.kind == "peer" and r.rounds]
    all_hosts = [r for r in peers if "told" not in r.name]
    best, told = best_peer(all_hosts), best_peer(r for r in peers if r not in all_hosts)
    if not (ours and best and told):
        return ""
    return (
        f"Ours finds the host by itself: {ours.median('logins'):.0f} login, in effect after "
        f"{ours.median('effect_seconds'):.2f} s. {best.name} asks "
        f"{best.median('logins'):.0f} hosts: {best.median('effect_seconds'):.2f} s; "
        f"{told.name} it is: {told.median('effect_seconds'):.2f} s."
    )


def _compared(ours: Result, other: Result) -> str:
    mine, theirs = ours.median(), other.median()
    if mine <= theirs:
        return f"{times(mine, theirs)} faster than {other.name}"
    return f"{times(theirs, mine)} slower than {other.name}"


def _list(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
