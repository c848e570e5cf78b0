"""Real SSH servers on loopback, each with its own port, keys and settings."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path

SETTINGS = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 1000
MaxSessions 100
LogLevel VERBOSE
Subsystem sftp internal-sftp
"""


@dataclass
class Sshd:
    """A running server."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(repr=False)
    user: str = field(default_factory=getuser)
    address: str = "127.0.0.1"

    @property
    def private_key(self) -> str:
        return (self.folder / "user").read_text()

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def sessions(self) -> int:
        """How many logins it has accepted."""
        return self.log.count("Accepted publickey")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def running(
    folder: Path, *more: str, port: int | None = None, inside: Sequence[str] = ()
) -> Iterator[Sshd]:
    """Run a server until the end of the block; ``more`` are lines of its settings."""
    server = start(folder, *more, port=port, inside=inside)
    try:
        yield server
    finally:
        server.stop()


def start(folder: Path, *more: str, port: int | None = None, inside: Sequence[str] = ()) -> Sshd:
    """Start a server, by the command ``inside`` if there is one, and wait until it answers.

    Keys that are in the folder are kept.
    """
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise RuntimeError("these tests need an SSH server: sh toolchain/servers.sh")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    for name in ("host", "user"):
        if not (folder / name).exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
    settings = SETTINGS.format(port=port, folder=folder)
    # The first value of a setting counts.
    (folder / "settings").write_text("\n".join([*more, settings]))
    with (folder / "log").open("ab") as log:
        command = [*inside, program, "-D", "-e", "-f", str(folder / "settings")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server = Sshd(folder, port, process)
    _wait(server)
    return server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Sshd) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.process.poll() is None:
        if "Server listening" in server.log:
            return
        time.sleep(0.01)
    server.process.kill()
    server.process.wait()
    raise RuntimeError(f"sshd does not start:\n{server.log}")
