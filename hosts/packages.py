"""Packages of a machine, in one go, whose services nobody starts but our own deploys.

A package's scripts start its service before it is configured, and restart it when it is updated:
a database must be started when it is configured, and restarted one machine at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.context import host
from pyinfra.facts.deb import DebPackages
from pyinfra.operations import apt, files

from .deploying import deploy
from .rendering import rendered


@dataclass(frozen=True, kw_only=True, slots=True)
class Packages:
    """What is installed, and which services no package may start or restart."""

    names: tuple[str, ...]
    ours: tuple[str, ...] = ()


@deploy("Packages")
def packages(wanted: Packages) -> None:
    """Install what is missing; what is there is left to the security updates."""
    files.put(
        name="Let no package start or restart what we run",
        src=rendered("policy-rc.d.j2", ours=wanted.ours),
        dest="/usr/sbin/policy-rc.d",
        mode="755",
    )
    apt.update(
        name="Learn what packages there are",
        _if=lambda: not set(wanted.names) <= set(host.get_fact(DebPackages)),
    )
    apt.packages(name="Install packages", packages=list(wanted.names), no_recommends=True)
