"""What this computer must have before a lab is begun: asked all at once, with nothing touched."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from toolchain.cache import Cache

from .machines import host

GIB = 1 << 30
NEEDED_DISK_GIB = 12
NEEDED_MEMORY_GIB = 6
KERNEL = {
    "overlay": "file systems of machines",
    "ext4": "disks of machines",
    "cgroup2": "power switches of machines",
    "tmpfs": "what a machine forgets",
}
"""File systems that the kernel must know, and what for."""
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "true")


class NotHereError(RuntimeError):
    """The lab can't run on this computer as it is; the message holds every reason."""


def check(stack: str, *, cache: Path | None = None) -> None:
    """Raise one :class:`NotHereError` with all that is missing."""
    faults = list(_faults(cache or Cache.of_this_user().root))
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise NotHereError(f"the lab of {stack} can't run here; nothing was touched:\n{lines}")


def _faults(cache: Path) -> Iterator[str]:
    if platform.system() != "Linux":
        yield (
            f"system: its machines are Linux namespaces, expected Linux, got {platform.system()}"
            " (a Linux VM will do)"
        )
        return
    if os.geteuid() != 0:
        yield f"user: namespaces and mounts need root, got uid {os.geteuid()} (try sudo make up)"
    else:
        yield from _not_allowed()
    yield from _missing_commands()
    yield from _missing_in_kernel()
    yield from _too_small(cache)


def _not_allowed() -> Iterator[str]:
    # Root in a container of an engine is not root enough.
    tried = subprocess.run(UNSHARE, capture_output=True, text=True, check=False)
    if tried.returncode:
        yield f"user: namespaces can't be made, even by root: {tried.stderr.strip()}"


def _missing_commands() -> Iterator[str]:
    if shutil.which("apt-get"):
        return  # What is missing is installed.
    for command, package in host.PACKAGES.items():
        if not shutil.which(command):
            yield f"command: no {command} on PATH (Debian's package {package} has it)"


def _missing_in_kernel() -> Iterator[str]:
    known = Path("/proc/filesystems").read_text().split()
    for name, purpose in KERNEL.items():
        # As a module it appears once it was used.
        if name not in known and not _module(name):
            yield f"kernel: no {name} ({purpose})"
    if not Path("/proc/self/ns/net").exists():
        yield "kernel: no network namespaces (networks of machines)"
    if not Path("/dev/loop-control").exists() and not _module("loop"):
        yield "kernel: no loop devices (disks of machines)"
    if "cgroup2 " not in Path("/proc/mounts").read_text():
        yield "kernel: no cgroup2 is mounted (power switches of machines)"


def _module(name: str) -> bool:
    folder = Path("/lib/modules") / platform.release()
    return any(folder.glob(f"kernel/**/{name}.ko*"))


def _too_small(cache: Path) -> Iterator[str]:
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free / GIB
    if free < NEEDED_DISK_GIB:
        yield f"disk: {place} has {free:.1f} GiB free, expected {NEEDED_DISK_GIB}"
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024 / GIB
            if available < NEEDED_MEMORY_GIB:
                yield f"memory: {available:.1f} GiB available, expected {NEEDED_MEMORY_GIB}"
