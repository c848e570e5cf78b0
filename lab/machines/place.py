"""Where one lab's things are: every name that is global on the host carries the lab's id."""

from __future__ import annotations

import contextlib
import fcntl
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache

PREFIX = "coldlab-"
_LAB_ID = re.compile(r"[a-z][a-z0-9]{0,15}")


def machines_cache() -> Path:
    """Return the folder of base images and package repositories, which all labs share."""
    return Cache.of_this_user().root / "machines"


@dataclass(frozen=True, slots=True)
class Place:
    """One lab's names on the host; that they follow from its id is what clean-up relies on."""

    lab_id: str
    home: Path | None = None
    """Where its folder lies, if not in this user's cache."""

    def __post_init__(self) -> None:
        if not _LAB_ID.fullmatch(self.lab_id):
            raise ValueError(f"lab_id: must match {_LAB_ID.pattern}, got {self.lab_id!r}")

    @property
    def folder(self) -> Path:
        """Return the folder with the disks, keys and logs of its machines."""
        return (self.home or machines_cache() / "labs") / self.lab_id

    @property
    def namespace(self) -> str:
        """Return the name of its network namespace."""
        return PREFIX + self.lab_id

    @property
    def cgroup(self) -> str:
        """Return the cgroup that holds every process of it."""
        return PREFIX + self.lab_id

    def machine_folder(self, name: str) -> Path:
        """Return where a machine's own files are; its data disks are not among them."""
        return self.folder / "machines" / name

    def volume(self, name: str) -> Path:
        """Return the file of a disk that is not part of any machine."""
        return self.folder / "volumes" / f"{name}.raw"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing what the lab's machines share."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
