"""A disk in a file: sparse, of a fixed size, attached to a loop device while a machine runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .filesystems import devices
from .host import run

GIB = 1 << 30
# No block is kept for root, so that a full disk is full for the services of root too.
EXT4 = ("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", "-J", "size=16")


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk; it knows no machine, so that it outlives each that it was attached to."""

    file: Path

    @property
    def exists(self) -> bool:
        """Tell whether there is one."""
        return self.file.exists()

    @property
    def size(self) -> int:
        """Return how many bytes it offers."""
        return self.file.stat().st_size

    @property
    def allocated(self) -> int:
        """Return how many bytes it takes on the host."""
        return self.file.stat().st_blocks * 512

    def create(self, gib: float, *, formatted: bool = True) -> None:
        """Make it, with an empty ext4 unless told otherwise; it appears complete or not at all."""
        if self.exists:
            raise FileExistsError(f"{self.file}: there is a disk already")
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.file.with_suffix(".new")
        with new.open("wb") as file:
            file.truncate(int(gib * GIB))
        new.chmod(0o600)
        if formatted:
            run(*EXT4, new)
        new.replace(self.file)

    def grow(self, gib: float) -> None:
        """Make it larger, never smaller; a machine that runs sees so, its file system grows later.

        What is on the disk of a system grows at its next start.
        """
        if gib * GIB < self.size:
            raise ValueError(f"{self.file.name}: must not shrink below {self.size} bytes")
        os.truncate(self.file, int(gib * GIB))
        for device in devices([self.file]).values():
            run("losetup", "--set-capacity", device)

    def snapshot(self, name: str) -> None:
        """Keep what is on it now; who writes to it must have been stopped."""
        _copy(self.file, self._kept(name))

    def has_snapshot(self, name: str) -> bool:
        """Tell whether what was on it is kept under a name."""
        return self._kept(name).exists()

    def roll_back(self, name: str) -> None:
        """Put it back to a snapshot, its size too; nobody may have it attached."""
        _copy(self._kept(name), self.file)

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot."""
        self._kept(name).unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove it, what is on it and its snapshots."""
        for snapshot in self.file.parent.glob(f"{self.file.stem}@*.raw"):
            snapshot.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def _kept(self, name: str) -> Path:
        return self.file.with_stem(f"{self.file.stem}@{name}")


def _copy(source: Path, target: Path) -> None:
    new = target.with_suffix(".new")
    run("cp", "--sparse=always", "--reflink=auto", "--preserve=mode", source, new)
    new.replace(target)
