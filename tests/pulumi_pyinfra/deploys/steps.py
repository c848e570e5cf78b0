"""Steps that count how often they ran, and may fail or wait on the way."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from pyinfra.api import deploy
from pyinfra.operations import server


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How many steps there are, and what goes wrong."""

    root: str
    count: int = 4
    fail_at: int = 0
    wait_at: int = 0
    """A step that goes on until somebody writes the file ``go``."""
    word: str = field(default="", repr=False)


@deploy("Steps")
def steps(wanted: Steps) -> None:
    """Write down each step."""
    for number in range(1, wanted.count + 1):
        commands = [f"echo {number} >> {wanted.root}/steps"]
        if number == wanted.wait_at:
            waiting = f"until [ -e {wanted.root}/go ]; do sleep 0.02; done"
            commands = [waiting, f"echo {number} >> {wanted.root}/steps"]
        if number == wanted.fail_at:
            commands = [
                f"for i in $(seq 1 30); do echo line $i {shlex.quote(wanted.word)}; done; exit 3"
            ]
        server.shell(name=f"Step {number}", commands=commands)


@deploy("Serial")
def serial(wanted: Steps) -> None:
    """Run a step on one host at a time, and another on the first host alone."""
    server.shell(
        name="One at a time",
        commands=[
            f"mkdir {wanted.root}/alone && sleep 0.1 && rmdir {wanted.root}/alone",
            f"echo 1 >> {wanted.root}/steps",
        ],
        _serial=True,
    )
    server.shell(name="Once", commands=[f"echo once >> {wanted.root}/steps"], _run_once=True)


@deploy("Healthy")
def healthy(wanted: Steps) -> None:
    """Succeed once the file ``healthy`` is there; write down each attempt."""
    server.shell(name="Note the attempt", commands=[f"echo attempt >> {wanted.root}/attempts"])
    server.shell(name="Look for health", commands=[f"test -e {wanted.root}/healthy"])


@deploy("Hanging")
def hanging(wanted: Steps) -> None:
    """Hang until the file ``go`` is there."""
    server.shell(name="Hang", commands=[f"until [ -e {wanted.root}/go ]; do sleep 0.02; done"])
