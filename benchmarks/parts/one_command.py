"""What one command costs on a connection that is there already, by each way to have one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..case import Case, Row
from ..contest import Contest
from ..cost import Command, Cost
from ..fleet import Machine, known_hosts
from ..tools.tool import ROLE

MANY = 100
WAYS = {
    "ours: one shell kept open": "framed",
    "OpenSSH's shared connection": "openssh",
    "pyinfra": "pyinfra",
}


def cases(contest: Contest) -> Iterator[Case]:
    """Yield the one case; each way runs a hundred commands, one after the other."""
    (machine,) = contest.fleet.machines(1)
    folder = contest.fleet.folder / "commands"
    folder.mkdir()
    (folder / "known_hosts").write_text(known_hosts([machine]))
    yield Case(
        part="Command",
        size=f"{MANY} commands",
        hosts=1,
        rows=[
            Row(name=name, command=_asked(way, machine, folder), after=_milliseconds)
            for name, way in WAYS.items()
        ],
        budget_seconds=60,
    )


def _asked(way: str, machine: Machine, folder: Path) -> Callable[[], Command]:
    told = {
        "address": machine.address,
        "port": machine.port,
        "user": machine.user,
        "key": str(machine.key),
        "private_key": machine.key.read_text(),
        "host_key": machine.host_key,
        "known_hosts": str(folder / "known_hosts"),
        "socket": str(folder / "socket"),
    }
    command = Command(
        argv=(sys.executable, "-m", "benchmarks.commands", way, str(MANY)),
        folder=ROLE.parent.parent,
        stdin=f"{json.dumps(told)}\n",
    )
    return lambda: command


def _milliseconds(cost: Cost) -> Mapping[str, float]:
    return {"command_ms": float(cost.said.split()[-1])}
