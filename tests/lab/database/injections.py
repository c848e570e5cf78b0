"""What befalls services on a machine, each for as long as a ``with`` block lasts.

Networks and whole machines are in ``lab.machines.faults``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.machines import Machine

POSTGRES = "/usr/lib/postgresql/17/bin/postgres"
POSTMASTER = "/var/lib/postgresql/17/main/postmaster.pid"


def shell(machine: Machine, script: str) -> str:
    """Run a script on a machine, without its network."""
    return machine.execute("sh", "-c", script)


def signal(machine: Machine, name: str, unit: str) -> None:
    """Send a signal to the main process of a unit."""
    machine.execute("systemctl", "kill", "--kill-whom=main", f"--signal={name}", unit)


def kill_server(machine: Machine) -> None:
    """Kill PostgreSQL's first process; the kernel ends the others."""
    shell(machine, f"kill -KILL $(head -n 1 {POSTMASTER})")


@contextmanager
def stopped(machine: Machine, unit: str) -> Iterator[None]:
    """Hold the main process of a unit between two instructions."""
    signal(machine, "STOP", unit)
    try:
        yield
    finally:
        signal(machine, "CONT", unit)


@contextmanager
def all_stopped(machine: Machine, program: str) -> Iterator[None]:
    """Hold every process of a program between two instructions."""
    pids = machine.execute("pidof", program).strip()
    shell(machine, f"kill -STOP {pids}")
    try:
        yield
    finally:
        shell(machine, f"kill -CONT {pids} 2>/dev/null || true")


@contextmanager
def killed_for_good(machine: Machine, unit: str) -> Iterator[None]:
    """Kill the main process of a unit, that alone, and have systemd not start it again."""
    # Masking would take away how the unit is killed as well: systemd would end all it started.
    folder = f"/run/systemd/system/{unit}.service.d"
    settings = f"{folder}/zz-lab.conf"
    shell(
        machine,
        f"mkdir -p {folder} && printf '[Service]\nRestart=no\n' >{settings}"
        " && systemctl daemon-reload",
    )
    signal(machine, "KILL", unit)
    try:
        yield
    finally:
        shell(machine, f"rm {settings} && systemctl daemon-reload")
        machine.execute("systemctl", "start", "--no-block", unit)


@contextmanager
def turned_off(unit: str, *machines: Machine) -> Iterator[None]:
    """Stop a unit in order."""
    for machine in machines:
        machine.execute("systemctl", "stop", unit)
    try:
        yield
    finally:
        for machine in machines:
            machine.execute("systemctl", "start", "--no-block", unit)


@contextmanager
def without_program(machine: Machine, path: str) -> Iterator[None]:
    """Have a program be nowhere: what runs goes on, nothing starts."""
    machine.execute("mv", path, f"{path}.away")
    try:
        yield
    finally:
        machine.execute("mv", f"{path}.away", path)


@contextmanager
def busy(machine: Machine, processes: int) -> Iterator[None]:
    """Have a machine compute for nothing, more than it has processors for."""
    units = [f"hog-{number}.service" for number in range(processes)]
    for unit in units:
        machine.execute(
            "systemd-run", "--quiet", "--collect", f"--unit={unit}", "--property=Nice=-5",
            "sh", "-c", "while :; do :; done",
        )  # fmt: skip
    try:
        yield
    finally:
        machine.execute("systemctl", "kill", "--signal=KILL", *units)
