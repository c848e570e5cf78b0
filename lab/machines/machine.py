"""One machine: a Debian system of its own, with disks, a network card and a way to be hurt."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from . import access, identity
from .cgroup import Cgroup
from .filesystems import lose_unsynced, write_out
from .host import HostError, run
from .network import Network, port
from .package_repository import IN_MACHINE
from .place import Place
from .volume import Volume

SUPERVISE = Path(__file__).with_name("supervise.sh")
# CGROUPS LOG COMMAND...: be in the cgroups before anything is made, and outlive who called.
ENTER = """\
for group in $1; do echo $$ >"$group/cgroup.procs" || exit; done
exec >>"$2" 2>&1
export CGROUPS="$1"
shift 2
exec setsid --fork bash "$@"
"""
# Systemd's own signal for "power off"; Python has no name for it.
_POWER_OFF = signal.SIGRTMIN + 4


class MachineArgs(BaseModel):
    """What a machine is; kept beside it, so that any process can start it again."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    address: IPv4Interface
    gateway: IPv4Address
    dns: tuple[IPv4Address, ...] = ()
    mac: str | None = None
    root_gib: float = 10
    user: str | None = None
    """Who may log in and become root, besides root."""
    authorized_keys: tuple[str, ...] = ()
    disks: Mapping[str, Path] = {}
    """Files of volumes by the device that the machine sees, such as ``/dev/disk/by-id/...``."""
    image: Path
    """Folder of the base image."""
    packages: Path | None = None
    """Folder of the package repository that apt in the machine uses."""
    plain_folders: tuple[str, ...] = ()
    """Folders that must not be on an overlay, such as ``/var/lib/containerd``."""
    nspawn_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine by its name; whether it exists and runs is asked of the host every time."""

    place: Place
    name: str

    @property
    def folder(self) -> Path:
        """Return where its root disk, its log and its keys are."""
        return self.place.machine_folder(self.name)

    @property
    def network(self) -> Network:
        """Return the network it is in."""
        return Network(self.place)

    @property
    def cgroup(self) -> Cgroup:
        """Return the group of all its processes, its supervisor among them."""
        return Cgroup(f"{self.place.cgroup}/{self.name}")

    @property
    def root(self) -> Volume:
        """Return the disk that holds what differs from the base image."""
        return Volume(self.folder / "root.raw")

    @property
    def args(self) -> MachineArgs:
        """Return what it is."""
        return MachineArgs.model_validate_json((self.folder / "machine.json").read_text())

    @property
    def exists(self) -> bool:
        """Tell whether it was created."""
        return (self.folder / "machine.json").exists() and self.root.exists

    @property
    def running(self) -> bool:
        """Tell whether its power is on."""
        return self.cgroup.populated

    @property
    def paused(self) -> bool:
        """Tell whether it is stopped between two instructions."""
        return self.running and self.cgroup.frozen

    @property
    def pid(self) -> int:
        """Return the host's number of its process 1."""
        for pid in self.cgroup.pids():
            with suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                numbers = status.partition("NSpid:")[2].partition("\n")[0].split()
                if numbers[1:] == ["1"]:
                    return pid
        raise HostError(f"{self.name}: is not running:\n{self.console(5)}")

    def create(self, args: MachineArgs) -> None:
        """Make it, or let one that exists be what ``args`` say from its next start on."""
        if args.name != self.name:
            raise ValueError(f"name: expected {self.name}, got {args.name}")
        tree = self.folder / "first-start"
        if not self.exists:
            shutil.rmtree(self.folder, ignore_errors=True)
            (self.folder / "mnt").mkdir(parents=True, mode=0o700)
            own = access.lab_key(self.place).with_suffix(".pub").read_text()
            identity.write(
                tree,
                name=self.name,
                machine_id=uuid.uuid4().hex,
                address=args.address,
                gateway=args.gateway,
                dns=args.dns,
                user=args.user,
                own_key=own,
                authorized_keys=args.authorized_keys,
                packages=args.packages is not None,
            )
            self.root.create(args.root_gib)
            host_key = (tree / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
            (self.folder / "known_hosts").write_text(f"{args.address.ip} {host_key}")
        new = self.folder / "machine.new"
        new.write_text(args.model_dump_json(indent=1))
        new.replace(self.folder / "machine.json")

    def boot(self) -> None:
        """Turn it on; return at once. Nothing that this process does later can end it."""
        args = self.args
        command: tuple[str | Path, ...] = (
            SUPERVISE, args.image, self.place.namespace, port(self.name),
            args.mac or identity.mac_of(self.place.lab_id, self.name), self.folder,
            "".join(f"{file} {device}\n" for device, file in args.disks.items()),
            "".join(f"{folder}\n" for folder in args.plain_folders),
            f"--machine={self.place.lab_id}-{self.name}", f"--hostname={self.name}",
            *([f"--bind-ro={args.packages}:{IN_MACHINE}"] if args.packages else []),
            *args.nspawn_options,
        )  # fmt: skip
        with self.place.locked():
            if not self.running:
                self.cgroup.create()
                groups = " ".join(map(str, self.cgroup.folders))
                run("sh", "-c", ENTER, "enter", groups, self.folder / "console.log", *command)

    def wait_for_ssh(self, seconds: float = 30) -> float:
        """Return, when SSH answers over the network, how long that took."""
        started = time.monotonic()
        deadline = started + seconds
        address = self.args.address.ip
        while True:
            with suppress(HostError):
                if access.listens(self.pid) and access.answers(self.network, address, 1):
                    return time.monotonic() - started
            if not self.running:
                raise HostError(f"{self.name}: went off while starting:\n{self.console()}")
            if not access.pause_between_looks(deadline):
                raise TimeoutError(f"{self.name}: no SSH after {seconds:g} s:\n{self.console()}")

    def power_off(self, seconds: float = 60) -> None:
        """Have it shut down in order, as by its power button, and see it off."""
        if self.running:
            os.kill(self.pid, _POWER_OFF)
            self.cgroup.wait_empty(seconds)

    def power_cut(self) -> None:
        """Take its power away: not a packet more leaves it, and unsynced writes are lost."""
        if not self.running:
            return
        self.cgroup.freeze()
        self.network.cut(self.name)
        files = {self.root.file, *self.args.disks.values()}
        lose_unsynced(self.cgroup.pids(), files)
        self.cgroup.kill()

    def pause(self) -> None:
        """Stop it between two instructions; its network card takes nothing meanwhile."""
        self.network.block(self.name, blocked=True)
        self.cgroup.freeze()

    def resume(self) -> None:
        """Let a paused machine go on, knowing nothing of the time between."""
        self.cgroup.thaw()
        self.network.block(self.name, blocked=False)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Hold it between two instructions with its disks written out, if it runs."""
        if not self.running:
            yield
            return
        held = self.paused
        self.pause()
        try:
            write_out(self.cgroup.pids(), {self.root.file, *self.args.disks.values()})
            yield
        finally:
            if not held:
                self.resume()

    def delete(self) -> None:
        """Destroy it, running or not, with its root disk; its data disks stay."""
        self.power_cut()
        self.cgroup.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ssh_command(self, *command: str, user: str = "root") -> list[str]:
        """Return the command line that runs a command on it over SSH, or a shell if none."""
        known = self.folder / "known_hosts"
        return access.ssh_command(self.network, self.args.address.ip, known, user, *command)

    def ssh(self, command: str, *, user: str = "root") -> str:
        """Run a shell command on it over SSH and return what it said."""
        return run(*self.ssh_command(command, user=user))

    def execute(self, *command: str) -> str:
        """Run a command on it without its network, as a guest agent would."""
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        return run("nsenter", "--target", str(self.pid), *spaces, "--", *command)

    def console(self, lines: int = 20) -> str:
        """Return the last lines that it wrote on its console."""
        with suppress(FileNotFoundError):
            text = (self.folder / "console.log").read_text(errors="replace")
            return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])
        return ""
