"""Every section that is needed is there, and no other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..explain import unknown_key
from ..faults import Fault, key
from ..sections import Machines, Platform, Role
from .secrets import SECRETS


def unknown_section(present: Collection[str], sections: Collection[str]) -> Iterator[Fault]:
    """A key that nobody reads is a slip of the pen."""
    known = [*sections, *SECRETS]
    for name in present:
        if name not in known:
            yield unknown_key((name,), known)


def section_missing(present: Collection[str], required: Collection[str]) -> Iterator[Fault]:
    """No section has defaults: what differs per environment is written down."""
    for name in required:
        if name not in present:
            yield Fault((name,), "is missing", "a section")


def platform_section_missing(platform: Platform, present: Mapping[str, object]) -> Iterator[Fault]:
    """The chosen platform is described."""
    if present.get(platform) is None:
        yield Fault((str(platform),), "is missing", f"a section, as {key('platform')} names it")


def database_section_missing(
    all_machines: Machines, present: Mapping[str, object]
) -> Iterator[Fault]:
    """Database machines know what they serve."""
    names = _databases(all_machines)
    if names and present.get("database") is None:
        wrong = f"is missing, but {', '.join(names)} have the role database"
        yield Fault(("database",), wrong, "a section")


def nothing_serves(all_machines: Machines, present: Mapping[str, object]) -> Iterator[Fault]:
    """PostgreSQL and Redis have machines to run on."""
    for section in ("database", "redis"):
        if present.get(section) is not None and not _databases(all_machines):
            wrong = f"is described, but none of {key('machines')} has the role database"
            yield Fault((section,), wrong, "3 such machines, or no such section")


def _databases(machines: Machines) -> list[str]:
    return [name for name, machine in machines.items() if machine.role is Role.DATABASE]
