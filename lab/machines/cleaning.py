"""Leaving nothing of a lab on the host, whatever became of the process that made it.

No record is read: all that a lab makes follows from its id, so the host itself is asked.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cgroup import Cgroup
from .host import run
from .network import NAMESPACES, Network
from .place import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What of a lab is on the host."""

    processes: tuple[int, ...]
    mounts: tuple[str, ...]
    loop_devices: tuple[str, ...]
    namespaces: tuple[str, ...]
    cgroups: tuple[str, ...]
    files: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


def left(lab_id: str, home: Path | None = None) -> Left:
    """Say what of a lab there is on the host, running or left behind."""
    place = Place(lab_id, home)
    cgroup = Cgroup(place.cgroup)
    return Left(
        processes=tuple(cgroup.pids()),
        mounts=tuple(_mounts(place)),
        loop_devices=tuple(_loop_devices(place)),
        namespaces=(place.namespace,) if (NAMESPACES / place.namespace).exists() else (),
        cgroups=tuple(str(folder) for folder in cgroup.folders if folder.exists()),
        files=(str(place.folder),) if place.folder.exists() else (),
    )


def clean_up(lab_id: str, home: Path | None = None, *, files: bool = True) -> None:
    """End a lab: its processes, network, devices and cgroups; its disks too unless ``files`` is no.

    It may be called at any time and any number of times; machines lose their power, unsaved.
    """
    place = Place(lab_id, home)
    cgroup = Cgroup(place.cgroup)
    cgroup.kill()
    Network(place).down()
    for mount in _mounts(place):
        run("umount", "--lazy", mount)
    for device in _loop_devices(place):
        run("losetup", "--detach", device)
    cgroup.remove()
    if files and place.folder.exists():
        shutil.rmtree(place.folder)


def _mounts(place: Place) -> list[str]:
    """Return what is mounted below the lab's folder, the innermost first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    where = [line.split()[1] for line in lines]
    return [mount for mount in reversed(where) if mount.startswith(f"{place.folder}{os.sep}")]


def _loop_devices(place: Place) -> list[str]:
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):
            if backing.read_text().startswith(f"{place.folder}{os.sep}"):
                found.append(f"/dev/{backing.parent.parent.name}")
    return sorted(found)
