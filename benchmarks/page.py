"""``docs/benchmarks.md``: every table with its reading, and what was run where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from . import reading
from .fit import Fit
from .goals import THREE, WORKER, goals
from .parts.converging import WORDS
from .result import Results
from .table import case_table, matrix, table

HEAD = """\
# Benchmarks

Written by `python -m benchmarks`; not by hand. Median (lowest-highest) of interleaved rounds, in
one run, on the same hosts. {setting}

![The headline figures](benchmarks.svg)

What is compared, with its configuration, is in `benchmarks/tools`: Ansible with 50 forks,
pipelining, no facts and connections that are kept (none is open at the start); the same with
Mitogen's linear strategy; pyinfra's own command line with the same deploy; and, as the floor that
no tool can go below, a shell script over `xargs -P 50 ssh`. Peers: {peers}. The role is nine kinds
of operations for each service, two services are 18 operations: a package, a group, a folder, a
file, a template, a line, a link, no old file, a command that is guarded. It is written once for
each tool in `benchmarks/role`, and a run that leaves another tree than the floor's script counts as
failed.

Read with care:

- The hosts are SSH servers on loopback, on the {cores} processors that the controller has: what a
  tool has the hosts compute slows it down as well. CPU is therefore given apart, of the controller
  (with all descendants: engine, plugins, workers, forks, kept connections) and of the hosts.
- All hosts are one machine, so packages and groups hold already, nothing is installed and no
  service is started: B1 is the cost of everything but apt and systemd. Real Debian machines are to
  follow.
- Contenders that had used up their share of a case's time have fewer rounds; the last column says
  it. A figure without a range is one round, or was always the same.
- `pulumi up` is run with `--skip-preview`, like every peer, which has no preview either.
- Memory is the highest sum that was sampled, shared pages counted once.
"""


def page(results: Results) -> str:
    """Return the whole page."""
    about = results.about
    setting = (
        f"{about['date']}, commit {about['commit']}, {about['rounds']} rounds, "
        f"{about['cores']} processors, {about['memory_gib']} GiB, Linux {about['kernel']}, "
        f"Python {about['python']}, Pulumi {about['pulumi']}, pyinfra {about['pyinfra']}, "
        f"load {about['load_before']} before and {about['load_after']} after "
        f"{about['minutes']} minutes."
    )
    if about["load_before"] > 1:
        setting += " **The machine was busy with other work.**"
    parts: list[str] = [
        HEAD.format(setting=setting, peers=", ".join(about["peers"]), cores=about["cores"])
    ]
    for name, title, body in SECTIONS:
        if results.of(name) or name == "goals":
            parts += [f"## {title}\n", *body(results)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _goals(results: Results) -> Iterator[str]:
    yield goals(results)


def _b1(results: Results) -> Iterator[str]:
    for size in results.sizes("B1"):
        yield f"### {size}\n"
        yield case_table(results, "B1", size)
        yield reading.of_case(results, "B1", size)


def _b2(results: Results) -> Iterator[str]:
    yield (
        "`up` compares with its state and opens no connection: it does not see what was changed "
        "by hand. Who wants that asks for `--refresh`, whose row is the one to hold against the "
        "peers' runs, like for like."
    )
    yield (
        "What Ansible takes on 50 hosts stands in B8: its run there has one thing to do. The "
        "peers' dry runs take as long as their runs; they are measured at the first size only."
    )
    for size in results.sizes("B2"):
        yield f"### {size}\n"
        yield case_table(results, "B2", size)
        yield reading.of_case(results, "B2", size)
        yield reading.of_case(results, "B2", size, "ours: pulumi up --refresh, looks inside")


def _b3(results: Results) -> Iterator[str]:
    names = list(dict.fromkeys(row.name for row in results.of("B3")))
    yield "A dash: left out, since it would take minutes. 100 hosts are measured once."
    for words in WORDS.values():
        merged = _growth(results, words)
        sizes = merged.sizes("B3")
        if not sizes:
            continue
        rows = [
            [
                name,
                *(r.shown() if (r := merged.find("B3", s, name)) else "-" for s in sizes),
                *_fitted(results, words, name),
            ]
            for name in names
        ]
        heads = [size.removesuffix(f", {words}") for size in sizes]
        yield f"### {words}\n"
        yield table(["seconds", *heads, "fixed s", "ms a host", "CPU ms a host"], rows)
        yield reading.of_growth(results, words)


def _growth(results: Results, words: str) -> Results:
    """Return the rows of one kind of work, those of B1 among them, from few hosts to many."""
    rows = [r for r in results.rows if r.part in ("B1", "B3") and r.size.endswith(f", {words}")]
    ordered = sorted(rows, key=lambda row: row.hosts)
    return replace(results, rows=[replace(row, part="B3") for row in ordered])


def _fitted(results: Results, words: str, name: str) -> list[str]:
    wall, cpu = (Fit.of(results, words, name, f) for f in ("seconds", "cpu_seconds"))
    if not (wall and cpu):
        return ["-", "-", "-"]
    return [f"{wall.fixed:.2f}", f"{wall.each * 1000:.0f}", f"{cpu.each * 1000:.0f}"]


def _b4(results: Results) -> Iterator[str]:
    names = list(dict.fromkeys(row.name for row in results.of("B4")))
    yield matrix(results, "B4", names)
    yield reading.of_plateau(results)


def _b7(results: Results) -> Iterator[str]:
    names = list(dict.fromkeys(row.name for row in results.of("B7")))
    sizes = results.sizes("B7")
    trips = {name: reading.round_trips(results, name) for name in names}
    rows = [
        [
            name,
            *(r.shown() if (r := results.find("B7", s, name)) else "-" for s in sizes),
            "-" if trips[name] is None else f"{trips[name]:.0f}",
        ]
        for name in names
    ]
    yield table(["seconds", *(f"{s} a round trip" for s in sizes), "round trips in a row"], rows)
    yield reading.of_case(results, "B7", sizes[-1], WORKER)


def _b8(results: Results) -> Iterator[str]:
    (size,) = results.sizes("B8")
    yield case_table(results, "B8", size, [("effect_seconds", "in effect after, s")])
    yield reading.of_change(results)


def _command(results: Results) -> Iterator[str]:
    rows = [[r.name, r.shown("command_ms"), r.shown("cpu_seconds")] for r in results.of("Command")]
    yield table(["", "ms a command", "CPU s, whole process"], rows)


def _inside(results: Results) -> Iterator[str]:
    figures = ("seconds", "cpu_seconds", "connect_seconds", "work_seconds")
    rows = [[row.name, *map(row.shown, figures)] for row in results.of("Inside")]
    yield table(["", "seconds", "CPU s", "of it connecting", "of it facts and operations"], rows)


SECTIONS: Sequence[tuple[str, str, Callable[[Results], Iterator[str]]]] = (
    ("goals", "The goals", _goals),
    ("B1", "B1: the first converge", _b1),
    ("B2", "B2: nothing to do", _b2),
    ("B3", "B3: more and more hosts", _b3),
    ("B4", "B4: a step of five seconds on several hosts", _b4),
    ("B7", "B7: a dry run over a longer way, 3 hosts, 18 operations", _b7),
    ("B8", "B8: one change on one of fifty hosts", _b8),
    ("Command", "What a command costs on an open connection", _command),
    ("Inside", f"Where our own time goes, {THREE}", _inside),
)
