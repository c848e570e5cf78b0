"""What a tool is, and what each way to obtain it needs to know."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SourceError(Exception):
    """One source cannot give one tool; the message is the reason, and the next source is tried."""


WHOLE = ""
"""In the place of an archive's member: the download is the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """What the tool's makers publish; `url` may use {version}, {os} and {arch}.

    A download without a pin in `sha256` is checked against the release's own list at `checksums`.
    That list proves a whole download, not an honest release, so its answer is recorded at first
    use and may not change afterwards.
    """

    url: str
    members: Mapping[str, str]
    """Where each file goes below the cache, by its name in the archive, or by `WHOLE`."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Pins by platform, such as linux-amd64."""
    checksums: str = ""
    architectures: Mapping[str, str] = field(default_factory=dict)
    """This publisher's names where they differ from Go's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoBuild:
    """A Go package of this repository, or required by a module of it."""

    directory: str
    """The module's folder, from the root of the repository."""
    package: str
    output: str
    """Where the binary goes, below the cache."""
    version_variable: str
    version_prefix: str = ""
    made_of: tuple[str, ...] = (".",)
    """Files and folders, from `directory`, whose change asks for another build."""
    copies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Files taken as they are: place below the cache -> (module, path inside it)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnPath:
    """A command that may be installed on the machine already."""

    command: str
    version_arguments: tuple[str, ...]
    at_least: tuple[int, ...]
    below: tuple[int, ...]
    beside: tuple[str, ...] = ()
    """Files that must lie in the same folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """One tool at one version, with every way to obtain it."""

    name: str
    version: str
    by_hand: str
    """What a person does when no source is left; may use {version}."""
    on_path: OnPath | None = None
    download: Download | None = None
    module: GoBuild | None = None
    standin: GoBuild | None = None
    only_for: str = ""
    """What cannot be done without it; empty means that nothing works without it."""


def operating_system() -> str:
    """Return this machine's system by Go's name."""
    return platform.system().lower()


def architecture() -> str:
    """Return this machine's processor by Go's name."""
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
