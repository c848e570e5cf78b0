"""A bit of everything that a service's deploy does to a system."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from pyinfra.api import deploy
from pyinfra.operations import apt, files, server


@dataclass(frozen=True, kw_only=True)
class System:
    """What a host is told."""

    name: str = "canary"


@deploy("System")
def system(wanted: System) -> None:
    """Touch packages, users, files and settings."""
    apt.packages(name="Install a package", packages=["cowsay"], update=True)
    apt.packages(name="Remove a package", packages=["nano"], present=False)
    server.group(name="Add a group", group=wanted.name)
    server.user(name="Add a user", user=wanted.name, group=wanted.name, home="/srv/canary")
    files.directory(name="Make a folder", path="/srv/canary", mode="750")
    files.put(name="Write a file", src=StringIO("a file\n"), dest="/srv/canary/file")
    files.line(name="Add a line", path="/etc/hosts", line="192.0.2.1 canary")
    files.replace(name="Replace a text", path="/etc/hosts", text="localhost", replace="here")
    files.block(name="Add a block", path="/etc/hosts", content="192.0.2.2 block")
    files.link(name="Link a file", path="/etc/canary", target="/srv/canary/file")
    files.file(name="Remove a file", path="/etc/hostname", present=False)
    server.hostname(name="Set the name", hostname=wanted.name)
    server.shell(name="Run a command", commands=["touch /srv/canary/touched"])
