"""Files of every kind, below one folder of the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path

from pyinfra.api import deploy
from pyinfra.operations import files, server

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a host is told."""

    root: str
    greeting: str = "hello"
    mode: int = 644
    password: str = field(default="", repr=False)
    port: int = 80

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: must be 1-65535, got {self.port}")


@deploy("Site")
def site(wanted: Site) -> None:
    """Write a site's files, and reload what reads them."""
    files.directory(name="Make the folder", path=f"{wanted.root}/site")
    page = files.put(
        name="Write the page",
        src=StringIO(f"{wanted.greeting}\nport {wanted.port}\n{wanted.password}\n"),
        dest=f"{wanted.root}/site/page.txt",
        mode=wanted.mode,
    )
    files.template(
        name="Write the settings",
        src=str(TEMPLATES / "settings.j2"),
        dest=f"{wanted.root}/site/settings.conf",
        greeting=wanted.greeting,
    )
    files.line(
        name="Set the greeting",
        path=f"{wanted.root}/greetings",
        line="greeting=.*",
        replace=f"greeting={wanted.greeting}",
    )
    files.block(
        name="Write the block",
        path=f"{wanted.root}/block",
        content=f"greeting {wanted.greeting}",
    )
    files.put(
        name="Write the picture",
        src=BytesIO(bytes(range(256)) + wanted.greeting.encode()),
        dest=f"{wanted.root}/site/picture",
    )
    server.shell(
        name="Reload",
        commands=[f"echo reload >> {wanted.root}/reloads"],
        _if=page.did_change,
    )
