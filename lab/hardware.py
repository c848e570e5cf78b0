"""What every machine of the lab starts from and can install, offline as it is."""

from __future__ import annotations

from pathlib import Path

from hosts import database, k3s

from .kubernetes import let_the_kernel_watch
from .machines import BaseImage, PackageRepository, Place
from .pve.machines import Machines
from .stack import stack_file_of

BASE = BaseImage()
PACKAGES = PackageRepository(
    image=BASE, packages=tuple(sorted({*database.PACKAGES.names, *k3s.PACKAGES.names}))
)


def packages_of(place: Place) -> Path:
    """Return what a lab's machines install from; they see at once what is added to it."""
    return PACKAGES.into(place.folder / "packages")


def hardware_of(place: Place, stack: str) -> Machines:
    """Return the machines of a stack's lab as an emulated Proxmox uses them."""
    let_the_kernel_watch()
    machines = stack_file_of(stack)["config"]["coldstorage:machines"]
    return Machines(
        place=place,
        image=BASE.obtain(),
        packages=packages_of(place),
        nodes=frozenset(name for name, m in machines.items() if m["role"].startswith("k3s")),
    )
