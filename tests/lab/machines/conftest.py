"""Labs for tests: each test file has its own, and none outlives it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from itertools import count
from pathlib import Path

import pytest
import yaml

from lab.machines import BaseImage, Machine, MachineArgs, Network, Place, Volume, clean_up

ROOT = Path(__file__).resolve().parents[3]
STACK = yaml.safe_load((ROOT / "Pulumi.testing.yaml").read_text())["config"]
NETWORK = STACK["coldstorage:network"]
MACHINES = STACK["coldstorage:machines"]
DATABASE = [name for name, machine in MACHINES.items() if machine["role"] == "database"]
GATEWAY = IPv4Interface(f"{NETWORK['gateway']}/{NETWORK['cidr'].split('/')[1]}")
DATA = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"
SSH_SECONDS = 60  # of a machine with much else to do
numbers = count()


@dataclass
class Lab:
    """A lab of a test."""

    place: Place
    image: Path
    machines: dict[str, Machine] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        return Network(self.place)

    def machine(self, name: str, **more: object) -> Machine:
        """Create a machine of the stack, at the stack's address."""
        machine = self.machines[name] = Machine(self.place, name)
        address = f"{MACHINES[name]['address']}/{GATEWAY.network.prefixlen}"
        more.setdefault("root_gib", 2)
        machine.create(
            MachineArgs(name=name, address=address, gateway=GATEWAY.ip, image=self.image, **more)
        )
        return machine

    def started(self, name: str, **more: object) -> Machine:
        """Create a machine of the stack and have it up."""
        machine = self.machine(name, **more)
        machine.boot()
        machine.wait_for_ssh(SSH_SECONDS)
        return machine

    def volume(self, name: str, gib: float = 0.1, *, formatted: bool = True) -> Volume:
        volume = Volume(self.place.volume(name))
        volume.create(gib, formatted=formatted)
        return volume


@contextmanager
def a_lab(image: Path) -> Iterator[Lab]:
    """Have a lab with a network, and nothing of it after."""
    place = Place(f"t{os.getpid()}x{next(numbers)}")
    try:
        Network(place).up(GATEWAY)
        yield Lab(place, image)
    finally:
        clean_up(place.lab_id)


@pytest.fixture(scope="session")
def image() -> Path:
    return BaseImage().obtain()


@pytest.fixture(scope="module")
def lab(image: Path) -> Iterator[Lab]:
    with a_lab(image) as made:
        yield made
