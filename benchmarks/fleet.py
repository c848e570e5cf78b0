"""The hosts: SSH servers on loopback, each with a folder of its own that stands for its disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.pulumi_pyinfra.sshd import Sshd, running

from . import orphans

_TICKS = os.sysconf("SC_CLK_TCK")
_QUIET_SECONDS = 5.0
_ADDRESS = "127.0.0.1"
# A container's apt is told to keep no cache, and then takes a second to say what is installed; a
# host's own keeps it.
_APT = """\
Dir::Etc::Parts "{folder}/parts";
Dir::Cache "{folder}";
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """One host as the tools are told of it."""

    name: str
    port: int
    user: str
    key: Path
    """The file of the private key."""
    host_key: str
    folder: Path
    """All that the role writes is below it."""
    word: str = "text"
    """What this host's settings say."""
    address: str = _ADDRESS

    def wipe(self) -> None:
        """Make the folder as it is on a new host."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def tree(self) -> dict[str, tuple[str, ...]]:
        """Return what stands below the folder: kind, mode, owner and content by path."""
        found: dict[str, tuple[str, ...]] = {}
        for path in sorted(self.folder.rglob("*")):
            about = path.lstat()
            owner = f"{about.st_uid}:{about.st_gid}"
            if path.is_symlink():
                target = str(path.readlink()).replace(str(self.folder), "")
                found[path.relative_to(self.folder).as_posix()] = ("link", owner, target)
            else:
                content = path.read_text() if path.is_file() else "folder"
                mode = oct(about.st_mode)
                found[path.relative_to(self.folder).as_posix()] = (mode, owner, content)
        return found

    def times(self) -> dict[str, int]:
        """Return when each thing below the folder was last changed."""
        return {str(path): path.lstat().st_ctime_ns for path in self.folder.rglob("*")}


class Fleet:
    """Servers that run until the end of the block; more are started when they are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers: list[Sshd] = []
        self._running = ExitStack()
        self._orphans_seconds = 0.0
        self._settings = (
            "LogLevel VERBOSE",
            # Without the first bash reads the start-up file of whoever runs this, at each login.
            f"SetEnv SHLVL=5 APT_CONFIG={_apt(folder / 'apt')}",
        )

    def __enter__(self) -> Self:
        # A shell that is left when its connection ends is an orphan.
        orphans.adopt()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def machines(self, count: int) -> list[Machine]:
        """Return that many hosts."""
        while len(self._servers) < count:
            self._servers.append(self._started(len(self._servers)))
        return [self._machine(number) for number in range(count)]

    def logins(self) -> int:
        """Return how many logins there were until now."""
        return sum(server.sessions for server in self._servers)

    def cpu_seconds(self) -> float:
        """Return what the servers used until now, with all that they ran and that has ended."""
        ticks = sum(_cpu_ticks(server.process.pid) for server in self._servers)
        return ticks / _TICKS + self._orphans_seconds

    def settle(self) -> None:
        """Wait until every connection has ended, so that nobody pays for who was before."""
        end = time.monotonic() + _QUIET_SECONDS
        pids = {server.process.pid for server in self._servers}
        while time.monotonic() < end:
            self._orphans_seconds += orphans.collect(pids)
            left = set(orphans.children(os.getpid())) - pids
            if not left and not any(map(orphans.children, pids)):
                return
            time.sleep(0.01)

    def _started(self, number: int) -> Sshd:
        folder = self.folder / f"sshd{number}"
        if self._servers:
            # One key opens all, as with a fleet of one owner.
            folder.mkdir(parents=True)
            for name in ("user", "user.pub"):
                shutil.copy(self._servers[0].folder / name, folder / name)
        return self._running.enter_context(running(folder, *self._settings))

    def _machine(self, number: int) -> Machine:
        server = self._servers[number]
        return Machine(
            name=f"host{number}",
            port=server.port,
            user=server.user,
            key=self._servers[0].folder / "user",
            host_key=server.host_key,
            folder=self.folder / "disks" / f"host{number}",
        )


def known_hosts(machines: Sequence[Machine]) -> str:
    """Return the file by which OpenSSH knows the hosts."""
    return "".join(f"[{m.address}]:{m.port} {m.host_key}\n" for m in machines)


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _apt(folder: Path) -> Path:
    """Write a configuration of apt that keeps a cache, and fill that."""
    (folder / "parts").mkdir(parents=True)
    (folder / "archives" / "partial").mkdir(parents=True)
    configuration = folder / "configuration"
    configuration.write_text(_APT.format(folder=folder))
    told = {**os.environ, "APT_CONFIG": str(configuration)}
    subprocess.run(["apt-cache", "gencaches"], env=told, check=True, capture_output=True)
    return configuration
