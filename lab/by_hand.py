"""``lab fault``: do to the lab's machines by hand what the tests do to them, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from .checkout import place_of
from .machines import Machine, Place, faults
from .machines.host import HostError

Fault = AbstractContextManager[None]


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the faults and the power switches to a command line."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="FAULT")

    def kind(name: str, text: str) -> argparse.ArgumentParser:
        made = kinds.add_parser(name, help=text, description=f"{text}, until Ctrl-C.")
        made.add_argument("machine")
        return made

    cut = kind("partition", "nothing passes between a machine and others")
    cut.add_argument("others", nargs="+", metavar="other")
    cut.add_argument("--one-way", action="store_true", help="they still hear of each other")
    kind("isolation", "nothing reaches or leaves a machine")
    kind("loss", "packets of a machine are lost").add_argument("percent", type=int)
    kind("delay", "packets of a machine take longer").add_argument("milliseconds", type=float)
    slow = kind("slow-disk", "a machine's disks do little a second")
    slow.add_argument("operations", type=int)
    slow.add_argument("kib", type=int)
    kind("full-disk", "a file system is full").add_argument("folder")
    kind("pause", "a machine stands still")
    for name, text in POWER.items():
        kinds.add_parser(name, help=text[0]).add_argument("machine")
    kinds.add_parser("heal", help="undo what a killed command left of a fault")


def act(stack: str, asked: argparse.Namespace) -> None:
    """Do what was asked for."""
    place = place_of(stack)
    if asked.kind == "heal":
        faults.heal(place)
        return
    machine = known(place, asked.machine)
    if asked.kind in POWER:
        POWER[asked.kind][1](machine)
        return
    with _fault(place, machine, asked):
        print(f"{asked.kind}: {machine.name}, until Ctrl-C", flush=True)
        _wait_for_the_end()
    print("healed")


POWER: dict[str, tuple[str, Callable[[Machine], object]]] = {
    "power-cut": ("a machine loses its power, unsynced writes and all", Machine.power_cut),
    "power-off": ("a machine is shut down in order", Machine.power_off),
    "power-on": ("a machine is turned on", Machine.boot),
}


def known(place: Place, name: str) -> Machine:
    """Return a machine of the lab, or say which there are."""
    machine = Machine(place, name)
    if not machine.exists:
        there = sorted(folder.name for folder in (place.folder / "machines").glob("*"))
        raise HostError(f"{name}: no such machine; there are {', '.join(there) or 'none'}")
    return machine


def _fault(place: Place, machine: Machine, asked: argparse.Namespace) -> Fault:
    makers: dict[str, Callable[[], Fault]] = {
        "partition": lambda: faults.partition(
            machine,
            away_from=tuple(known(place, name) for name in asked.others),
            one_way=asked.one_way,
        ),
        "isolation": lambda: faults.isolation(machine),
        "loss": lambda: faults.packet_loss(machine, asked.percent),
        "delay": lambda: faults.delayed(machine, asked.milliseconds / 1000),
        "slow-disk": lambda: faults.slow_disk(machine, operations=asked.operations, kib=asked.kib),
        "full-disk": lambda: faults.full_disk(machine, asked.folder),
        "pause": lambda: faults.paused(machine),
    }
    return makers[asked.kind]()


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
