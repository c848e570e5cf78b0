"""File systems of machines, from outside: what a power cut does to them, and its opposite."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .host import run

# Linux' FS_IOC_SHUTDOWN, _IOR('X', 125, __u32): ext4 and xfs go down on the spot; with this
# argument not even their journal is written.
_SHUTDOWN = 0x8004587D
_WITHOUT_THE_LOG = (2).to_bytes(4, "little")


def devices(files: Iterable[Path]) -> dict[str, Path]:
    """Return the loop devices of files, ``/dev/loopN`` by what mount tables call them."""
    wanted = {str(file) for file in files}
    found = {}
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # detached meanwhile
            if backing.read_text().rstrip("\n") in wanted:
                device = backing.parent.parent
                found[(device / "dev").read_text().strip()] = Path("/dev") / device.name
    return found


def lose_unsynced(pids: Iterable[int], files: Iterable[Path]) -> None:
    """Shut down every file system on ``files`` that one of the processes has mounted."""
    left = devices(files)
    for number, place in _mounted(pids):
        if number in left and _shut_down(place):
            del left[number]


def write_out(pids: Iterable[int], files: Iterable[Path]) -> None:
    """Have all that was written to the disks ``files`` on them, journals and all."""
    left = devices(files)
    disks = list(left.values())
    for number, place in _mounted(pids):
        if number in left:
            run("sync", "--file-system", place)
            del left[number]
    run("sync", *disks, *files)


def _mounted(pids: Iterable[int]) -> Iterator[tuple[str, Path]]:
    """Yield each mount of the processes: its device's number, and where we reach it."""
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
                number, _, where = line.split()[2:5]
                yield number, Path(f"/proc/{pid}/root{_unescaped(where)}")


def _shut_down(place: Path) -> bool:
    with suppress(OSError):
        place_fd = os.open(place, os.O_RDONLY)
        try:
            fcntl.ioctl(place_fd, _SHUTDOWN, _WITHOUT_THE_LOG)
        finally:
            os.close(place_fd)
        return True
    return False


def _unescaped(where: str) -> str:
    return where.encode().decode("unicode_escape") if "\\" in where else where
