"""What every machine has: a name, the right time, a closed door, and the security updates."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.operations import files, server, systemd
from typing_extensions import override

from .checks import identifier, refuse
from .deploying import deploy
from .facts import MaySetClock
from .firewall import Firewall, Opening, firewall
from .packages import Packages
from .rendering import rendered
from .ssh_server import SshServer, ssh_server

PACKAGES = Packages(names=("chrony", "curl", "unattended-upgrades"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """A machine, whatever it is for."""

    name: str
    operators: tuple[IPv4Network, ...]
    """From where SSH is open."""
    openings: tuple[Opening, ...] = ()
    forwards: tuple[IPv4Network, ...] = ()
    """Whose packets pass through, on a machine with pods."""
    time_servers: tuple[str, ...] = ("2.debian.pool.ntp.org",)
    kernel: tuple[tuple[str, str], ...] = ()
    """Kernel settings by name."""

    def __post_init__(self) -> None:
        refuse(
            [
                *identifier("name", self.name),
                *([] if self.operators else ["operators: nobody could reach the machine"]),
            ]
        )


class FirstBootUnderWay(FactBase[bool]):
    """Whether cloud-init is there and has not finished."""

    default = bool

    @override
    def command(self) -> str:
        return "! command -v cloud-init >/dev/null || cloud-init status || true"

    @override
    def process(self, output: list[str]) -> bool:
        return output[:1] in (["status: running"], ["status: not started"], ["status: not run"])


@deploy("First boot")
def first_boot(_: Base) -> None:
    """Wait until the machine's first boot has finished; whatever comes earlier it may undo."""
    server.shell(
        name="Wait until cloud-init has finished",
        # 2: finished, with something to complain about.
        commands=["cloud-init status --wait >/dev/null || [ $? -eq 2 ]"],
        _timeout=600,
        _if=lambda: host.get_fact(FirstBootUnderWay),
    )


@deploy("Base")
def base(wanted: Base) -> None:
    """Have all of it, once the packages are there."""
    server.hostname(name="Set the name of the machine", hostname=wanted.name)
    _clock(wanted)
    _kernel(wanted)
    _security_updates()
    ssh_server(SshServer(operators=wanted.operators))
    ssh = Opening(what="SSH", sources=wanted.operators, ports=(22,))
    firewall(Firewall(openings=(ssh, *wanted.openings), forwards=wanted.forwards))


def _clock(wanted: Base) -> None:
    settings = files.put(
        name="Write whom the clock asks",
        src=rendered("chrony.sources.j2", servers=wanted.time_servers),
        dest="/etc/chrony/sources.d/platform.sources",
        mode="644",
    )
    # Where there is no clock to set, the service does not start.
    systemd.service(
        name="Keep the clock right",
        service="chrony.service",
        running=True,
        enabled=True,
        _if=lambda: host.get_fact(MaySetClock),
    )
    server.shell(
        name="Have the clock ask them",
        commands=["chronyc reload sources"],
        _if=lambda: settings.did_change() and host.get_fact(MaySetClock),
    )


def _kernel(wanted: Base) -> None:
    settings = files.put(
        name="Write the kernel's settings",
        src=rendered("sysctl.conf.j2", settings=wanted.kernel),
        dest="/etc/sysctl.d/60-platform.conf",
        mode="644",
    )
    systemd.service(
        name="Have the kernel take its settings",
        service="systemd-sysctl.service",
        restarted=True,
        _if=settings.did_change,
    )


def _security_updates() -> None:
    files.put(
        name="Take security updates every day, and never restart the machine for one",
        src=rendered("unattended-upgrades.conf.j2"),
        dest="/etc/apt/apt.conf.d/60-platform",
        mode="644",
    )
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        systemd.service(
            name=f"Keep {timer} on",
            service=timer,
            running=True,
            enabled=True,
            _if=lambda: host.get_fact(UpdatesWanted),
        )


class UpdatesWanted(FactBase[bool]):
    """Whether nobody has masked the timers of updates, as it is done where there is no archive."""

    @override
    def command(self) -> str:
        return "systemctl is-enabled apt-daily.timer || true"

    @override
    def process(self, output: list[str]) -> bool:
        return output[:1] != ["masked"]
