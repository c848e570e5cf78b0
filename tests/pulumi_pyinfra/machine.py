"""A host with a system of its own: an SSH server that sees a copy of this machine's, made on write.

Whatever is written there lands in a folder that can be looked at, and this machine never sees it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pulumi_pyinfra.sshd import Sshd, running

# In a mount namespace of its own, which ends with its last process: nothing has to be unmounted.
_START = """
mkdir -p "$0/machine"
mount -t tmpfs none "$0/machine"
cd "$0/machine"
mkdir written work root
mount -t overlay none root -o lowerdir=/,upperdir=written,workdir=work
mkdir -p root/run/sshd root/run/written "root$0"
for shared in /dev /proc "$0"; do mount --rbind "$shared" "root$shared"; done
mount --bind written root/run/written
exec chroot root "$@"
"""

OF_A_LOGIN = {"/run/utmp", "/var/log/btmp", "/var/log/lastlog", "/var/log/wtmp"}
"""What sshd writes by itself."""


@dataclass
class Machine:
    """A running one."""

    server: Sshd

    def written(self) -> dict[str, str]:
        """Return every file that was written, changed or removed there, but for sshd's own."""
        found = {}
        root = self._root / "run" / "written"
        for path in root.rglob("*"):
            name = f"/{path.relative_to(root)}"
            if not path.is_dir() and name not in OF_A_LOGIN:
                about = path.lstat()
                gone = stat.S_ISCHR(about.st_mode)
                found[name] = "removed" if gone else f"{stat.filemode(about.st_mode)}"
        return found

    def read(self, path: str) -> str:
        """Return what a file there holds."""
        return self._root.joinpath(path.lstrip("/")).read_text()

    @property
    def _root(self) -> Path:
        return Path("/proc", str(self.server.process.pid), "root")


@contextmanager
def machine(folder: Path, *more: str) -> Iterator[Machine]:
    """Run a machine until the end of the block; ``more`` are lines of its server's settings."""
    inside = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _START, str(folder)]
    with running(folder, *more, inside=inside) as server:
        yield Machine(server)
