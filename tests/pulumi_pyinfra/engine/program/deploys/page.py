"""A page on a host, and all that may be asked of such a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from pyinfra import host
from pyinfra.api import deploy
from pyinfra.facts.files import File
from pyinfra.operations import files, server

TEMPLATE = Path(__file__).parent / "templates" / "page.txt"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a host is told."""

    folder: str
    text: str = "hello"
    broken: bool = False
    secret: str = field(default="none", repr=False)
    settled: bool = False

    def __post_init__(self) -> None:
        if len(self.text) > 40:
            raise ValueError(f"text: must have 40 characters at most, got {len(self.text)}")


@dataclass(frozen=True, kw_only=True)
class Leaving(Page):
    """What a host is told that leaves."""

    others: list[str]


@deploy("Page")
def page(wanted: Page) -> None:
    """Write a file and count how often it was written."""
    written = files.put(
        name="Write the page",
        src=StringIO(TEMPLATE.read_text().replace("TEXT", wanted.text) + wanted.secret),
        dest=f"{wanted.folder}/page.txt",
        create_remote_dir=True,
    )
    server.shell(
        name="Count",
        commands=[f"echo x >> {wanted.folder}/count"],
        _if=written.did_change,
    )
    log = Path(wanted.folder).parent / "order"
    server.shell(
        name="Say who is changed",
        commands=[
            f"echo {host.name} >> {log}",
            f"echo {wanted.settled} > {wanted.folder}/settled",
        ],
        _if=written.did_change,
    )
    if wanted.broken:
        server.shell(name="Fail", commands=["echo why it failed >&2; exit 7"])


@deploy("Healthy")
def healthy(wanted: Page) -> None:
    """Succeed unless the host is said to be sick."""
    server.shell(name="Look", commands=[f"test ! -e {wanted.folder}/sick"])


def leads(wanted: Page) -> bool:
    """Answer whether the host leads now."""
    return bool(host.get_fact(File, path=f"{wanted.folder}/leads"))


@deploy("Gone")
def gone(wanted: Leaving) -> None:
    """Say who stays, unless the host is needed."""
    server.shell(name="Prove the quorum", commands=[f"test ! -e {wanted.folder}/needed"])
    server.shell(
        name="Say who stays",
        commands=[f"echo {' '.join(wanted.others)} > {wanted.folder}/left"],
    )


@deploy("Cleaned")
def cleaned(wanted: Page) -> None:
    """Take the page away."""
    files.file(name="Remove the page", path=f"{wanted.folder}/page.txt", present=False)
