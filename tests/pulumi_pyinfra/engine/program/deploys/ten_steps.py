"""A deploy of ten operations, each of which can be held at two points until a test lets it go.

The folder of a host holds what the test says and sees: ``hold`` names one point (``4 before``,
``4 within``), ``held`` is there while it is waited at, ``tries`` has a line for each attempt at an
operation, ``count`` one for each time that its act was done, and ``done/4`` says that it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from pyinfra import host
from pyinfra.api import deploy, operation
from pyinfra.facts.files import File
from pyinfra.operations import files, server

COUNT = 10


@dataclass(frozen=True, kw_only=True)
class TenSteps:
    """Where a host has its files."""

    folder: str
    count: int = COUNT


def _hold(point: str) -> str:
    """Return the shell's words for: stay here as long as ``hold`` says so."""
    here = f'[ "$(cat hold 2>/dev/null)" = "{point}" ]'
    return f"if {here}; then echo > held; while {here}; do sleep 0.02; done; rm held; fi"


@operation()
def step(number: int, folder: str) -> Iterator[str]:
    """Upload a file and count, once: the act and the mark that it was done are one command."""
    done = host.get_fact(File, path=f"{folder}/done/{number}")
    uploads = list(
        files.put._inner(
            src=StringIO(f"{number}\n"), dest=f"{folder}/files/{number}", create_remote_dir=True
        )
    )
    if done and not uploads:
        return
    yield f"cd {folder}; mkdir -p done; echo {number} >> tries; {_hold(f'{number} before')}"
    yield from uploads
    act = f"echo {number} >> count; {_hold(f'{number} within')}; touch done/{number}"
    yield f"cd {folder}; {act}"


@deploy("Ten steps")
def ten_steps(wanted: TenSteps) -> None:
    """Take one step after the other."""
    for number in range(1, wanted.count + 1):
        step(name=f"Step {number}", number=number, folder=wanted.folder)


@deploy("Service")
def service(wanted: TenSteps) -> None:
    """Start something that goes on when the deploy has ended."""
    server.shell(
        name="Start a service",
        commands=[f"nohup sleep 600 >/dev/null 2>&1 & echo $! >> {wanted.folder}/pid"],
    )
