"""A cgroup in every hierarchy of the host: who is in it can be stopped or killed at one stroke.

Freezing and killing use the unified hierarchy, which hosts with version 1 mount beside it.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .host import HostError


def hierarchies() -> tuple[Path, ...]:
    """Return where each cgroup hierarchy is mounted, once each."""
    found: dict[int, Path] = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            found.setdefault(Path(where).stat().st_dev, Path(where))
    return tuple(found.values())


def unified() -> Path:
    """Return where the unified hierarchy is mounted."""
    for hierarchy in hierarchies():
        if (hierarchy / "cgroup.subtree_control").exists():
            return hierarchy
    raise HostError("/proc/mounts: no cgroup2 is mounted, machines need one")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A group of processes, named from the root of each hierarchy."""

    name: str

    @property
    def main(self) -> Path:
        """Return its folder in the unified hierarchy."""
        return unified() / self.name

    @property
    def folders(self) -> list[Path]:
        """Return its folder in each hierarchy."""
        return [hierarchy / self.name for hierarchy in hierarchies()]

    def create(self) -> None:
        """Make it anew: without what an earlier run left below it, and not frozen."""
        self.remove()
        for hierarchy, folder in zip(hierarchies(), self.folders, strict=True):
            for part in [*reversed(folder.relative_to(hierarchy).parents), Path(self.name)][1:]:
                (hierarchy / part).mkdir(exist_ok=True)
                _inherit_cpuset(hierarchy / part)

    def pids(self) -> list[int]:
        """Return who is in it or below it."""
        with contextlib.suppress(FileNotFoundError):
            files = [self.main / "cgroup.procs", *self.main.glob("**/cgroup.procs")]
            return sorted({int(pid) for file in files for pid in _read(file).split()})
        return []

    @property
    def populated(self) -> bool:
        """Tell whether a living process is in it or below it."""
        return "populated 1" in _read(self.main / "cgroup.events")

    @property
    def frozen(self) -> bool:
        """Tell whether everyone in it is stopped."""
        return "frozen 1" in _read(self.main / "cgroup.events")

    def freeze(self, seconds: float = 5) -> None:
        """Stop everyone in it."""
        (self.main / "cgroup.freeze").write_text("1")
        self._wait("frozen 1", seconds)

    def thaw(self) -> None:
        """Let everyone in it go on."""
        (self.main / "cgroup.freeze").write_text("0")

    def kill(self, seconds: float = 20) -> None:
        """Kill everyone in it, frozen or not, and see them gone."""
        with contextlib.suppress(FileNotFoundError):
            (self.main / "cgroup.kill").write_text("1")
        self.wait_empty(seconds)

    def wait_empty(self, seconds: float) -> None:
        """Return when nobody is in it; raise if somebody still is after so many seconds."""
        self._wait("populated 0", seconds)

    def remove(self) -> None:
        """Remove it and what is below it; nobody may be in it."""
        for folder in self.folders:
            _remove_below(folder)
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()

    def _wait(self, event: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with contextlib.suppress(FileNotFoundError), (self.main / "cgroup.events").open() as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            while event not in os.pread(events.fileno(), 200, 0).decode():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"cgroup {self.name}: not {event!r} after {seconds:g} s")
                poll.poll(left * 1000)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it went away, or (ENODEV) is about to
        return ""


def _below(folder: Path) -> Iterator[Path]:
    for child in folder.iterdir():
        if child.is_dir():
            yield from _below(child)
            yield child


def _remove_below(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        for child in list(_below(folder)):
            child.rmdir()


def _inherit_cpuset(folder: Path) -> None:
    # Version 1 takes nobody into a cpuset without processors and memory.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and (folder / "cgroup.clone_children").exists():
            (folder / name).write_text((folder.parent / name).read_text())
