"""A service's role as pyinfra deploys: nine operations, one of each kind, for each service.

``service.yml`` and ``service.sh`` do the same; a run in which the trees differ counts as failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from pyinfra.api.deploy import deploy
from pyinfra.context import host
from pyinfra.facts.files import File
from pyinfra.operations import apt, files, server

TEMPLATE = Path(__file__).parent / "templates" / "settings.conf"
# All hosts are one machine, so these must hold already: every Debian has them.
PACKAGES = ("bash", "coreutils", "findutils", "grep", "gzip", "sed", "tar")
GROUPS = ("adm", "daemon", "mail", "nogroup", "tape", "users", "video")


@dataclass(frozen=True, kw_only=True)
class Role:
    """What one host is told."""

    folder: str
    services: int = 2
    word: str = "text"

    def __post_init__(self) -> None:
        if not 0 <= self.services <= len(PACKAGES):
            raise ValueError(f"services: must be 0-{len(PACKAGES)}, got {self.services}")


@deploy("Role")
def role(wanted: Role) -> None:
    """Set up some services."""
    for number in range(wanted.services):
        _service(number, f"{wanted.folder}/service{number}", wanted.word)


def _service(number: int, folder: str, word: str) -> None:
    apt.packages(name=f"{number}: have the package", packages=[PACKAGES[number]])
    server.group(name=f"{number}: have the group", group=GROUPS[number])
    files.directory(name=f"{number}: make the folder", path=folder, mode="750")
    files.put(
        name=f"{number}: write the content",
        src=StringIO(f"content {number}\n" * 50),
        dest=f"{folder}/content",
        mode="640",
    )
    files.template(
        name=f"{number}: write the settings",
        src=str(TEMPLATE),
        dest=f"{folder}/settings.conf",
        mode="640",
        number=number,
        word=word,
    )
    files.line(name=f"{number}: add the line", path=f"{folder}/lines", line=f"setting{number}=1")
    files.link(name=f"{number}: point to it", path=f"{folder}/current", target=f"{folder}/content")
    files.file(name=f"{number}: no old file", path=f"{folder}/old", present=False)
    ready = f"{folder}/ready"
    server.shell(
        name=f"{number}: prepare once",
        commands=[f"echo prepared > {ready}"],
        _if=lambda: host.get_fact(File, path=ready) is None,
    )


@deploy("Four modules")
def modules(wanted: Role) -> None:
    """Do the least that is not nothing: a folder, a file, a line, a link."""
    folder = f"{wanted.folder}/service"
    files.directory(name="Make the folder", path=folder, mode="750")
    files.put(
        name="Write the content",
        src=StringIO("content\n" * 50),
        dest=f"{folder}/content",
        mode="640",
    )
    files.line(name="Add the line", path=f"{folder}/lines", line="setting=1")
    files.link(name="Point to it", path=f"{folder}/current", target=f"{folder}/content")


@deploy("One command")
def raw(wanted: Role) -> None:
    """Run one command."""
    server.shell(name="Run it", commands=[f"echo done > {wanted.folder}/done"])


@deploy("Sleep")
def sleep(wanted: Role) -> None:
    """Wait as long as a slow step does."""
    server.shell(name="Sleep", commands=[f"sleep 5; echo done > {wanted.folder}/done"])
