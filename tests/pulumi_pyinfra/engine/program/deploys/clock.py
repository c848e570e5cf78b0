"""The clock of a host: an example of a service."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from pyinfra import host
from pyinfra.api import deploy
from pyinfra.facts.files import File
from pyinfra.operations import files, server

TEMPLATE = Path(__file__).parent / "templates" / "chrony.conf.j2"
JINJA = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - no page


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What a host is told."""

    servers: list[str]
    stratum: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.stratum <= 15:
            raise ValueError(f"stratum: must be 1-15, got {self.stratum}")


@dataclass(frozen=True, kw_only=True)
class Leaving(Clock):
    """What a host is told that leaves."""

    others: list[str]


@deploy("Clock")
def clock(wanted: Clock) -> None:
    """Write the settings, and note when they have to be read again."""
    server.group(name="Make the group of the clock", group="_clock", system=True)
    files.directory(name="Make the folder of the settings", path="/etc/clock", group="_clock")
    template = JINJA.from_string(TEMPLATE.read_text())
    settings = files.put(
        name="Write the settings of the clock",
        src=StringIO(template.render(wanted=wanted)),
        dest="/etc/clock/chrony.conf",
        group="_clock",
        mode="640",
    )
    server.shell(
        name="Have the settings read again",
        commands=["date +%s >> /run/clock.reloads"],
        _if=settings.did_change,
    )


@deploy("Clock answers")
def answers(_: Clock) -> None:
    """Succeed once the settings were read."""
    server.shell(name="Ask the clock", commands=["test -s /run/clock.reloads"])


def leads(_: Clock) -> bool:
    """Answer whether other hosts take their time from this one."""
    return bool(host.get_fact(File, path="/run/clock.leads"))


@deploy("Clock leaves")
def leave(wanted: Leaving) -> None:
    """Tell who is left, and take the settings away."""
    server.shell(
        name=f"Say goodbye to {', '.join(wanted.others)}", commands=["test ! -e /run/clock.leads"]
    )
    files.file(name="Remove the settings", path="/etc/clock/chrony.conf", present=False)
