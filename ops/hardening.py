"""Every control of the hardening on every node, as a table (``ops.cluster STACK hardening``).

Each node looks at itself (``k3s-checks``), and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hosts.on_machine.hardening.control import EXCEPTION, FAIL, PASS, Result
from ops.reach import FailedError, Machine, all_hosts_of, export_of, hosts_of, machines

COMMAND = "/usr/local/sbin/k3s-checks --json"
SECONDS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A control, and what came of it on all nodes."""

    number: str
    title: str
    outcome: str
    why: str


def of_stack(stack: str, project: Path, deploy: str) -> int:
    """Print what came of every control on all nodes of a stack; return the exit status."""
    state = export_of(stack, project)
    _, sudo = hosts_of(state, deploy)
    nodes = {name: ssh for hosts, _ in all_hosts_of(state, deploy) for name, ssh in hosts.items()}
    known = {name: ssh for name, ssh in nodes.items() if ssh.host_keys}
    with machines(known, sudo=sudo) as reached:
        return show(reached, [name for name in nodes if name not in known])


def show(nodes: Mapping[str, Machine], unknown: Sequence[str] = ()) -> int:
    """Print what came of every control; return the exit status."""
    with ThreadPoolExecutor() as pool:
        found = dict(zip(nodes, pool.map(_asked, nodes.values()), strict=True))
    silent = dict.fromkeys(unknown, "nobody has talked to it yet")
    silent |= {name: said for name, said in found.items() if isinstance(said, str)}
    rows = table({name: said for name, said in found.items() if not isinstance(said, str)})
    for row in rows:
        print(f"{row.outcome:<10}{row.number:<9}{row.title:<48} {row.why}".rstrip())
    for name, said in silent.items():
        print(f"{FAIL:<10}{name} could not be asked: {said}")
    count = {outcome: sum(row.outcome == outcome for row in rows) for outcome in (PASS, EXCEPTION)}
    wrong = sum(row.outcome == FAIL for row in rows) + len(silent)
    print(
        f"{len(nodes) + len(unknown)} nodes, {len(rows)} controls: {count[PASS]} pass, "
        f"{count[EXCEPTION]} exceptions, {wrong} failing"
    )
    return 1 if wrong else 0


def table(found: Mapping[str, Sequence[Result]]) -> list[Row]:
    """Return a row for each control, in the order of the first node that has it."""
    numbers = dict.fromkeys(result.number for results in found.values() for result in results)
    by_node = {node: {r.number: r for r in results} for node, results in found.items()}
    return [
        _row({node: results[number] for node, results in by_node.items() if number in results})
        for number in numbers
    ]


def _row(of_nodes: Mapping[str, Result]) -> Row:
    first = next(iter(of_nodes.values()))
    wrong = {node: r.why for node, r in of_nodes.items() if r.outcome == FAIL}
    return Row(
        number=first.number,
        title=first.title,
        outcome=FAIL if wrong else first.outcome,
        why="; ".join(f"{node}: {why}" for node, why in wrong.items()) if wrong else first.why,
    )


def _asked(machine: Machine) -> list[Result] | str:
    """Return what a node found, or why it could not be asked."""
    try:
        return [Result(**told) for told in json.loads(machine.run(COMMAND, seconds=SECONDS))]
    except (FailedError, ValueError, TypeError) as error:
        return str(error)
