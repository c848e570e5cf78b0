"""What the provider and the worker say to each other: one JSON object a line.

The request is the first line of the worker's stdin; ``{"cancel": true}`` may follow. Events are
the lines of its stdout, and the last one is ``done``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypeVar

from . import typed

T = TypeVar("T")
_LAST_PORT = 65535
CANCEL = '{"cancel": true}'


class ProtocolError(ValueError):
    """A line that is not what the protocol says; the message never shows its values."""


class Action(StrEnum):
    """What the worker is asked to do."""

    CHECK = "check"
    """Are the arguments what the deploy takes?"""
    PLAN = "plan"
    """What would the deploy change?"""
    APPLY = "apply"
    """Run the deploy."""
    PROBE = "probe"
    """Run it again and again until it succeeds, or time is up."""
    ASK = "ask"
    """What does the function answer, yes or no?"""


class Status(StrEnum):
    """What is said of one operation on one host."""

    CHANGES = "changes"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    STARTED = "started"
    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ssh:
    """How a host is reached; nothing else is ever used, no agent and no file of the user."""

    address: str
    user: str
    private_key: str = field(repr=False)
    port: int = 22
    host_keys: tuple[str, ...] | None = None
    """The keys that the host may show; None accepts, and reports, what it shows."""
    bastion: Ssh | None = None
    connect_timeout: float = 5
    connect_attempts: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.port <= _LAST_PORT:
            raise ValueError(f"port: must be 1-{_LAST_PORT}, got {self.port}")

    @property
    def where(self) -> str:
        """Return ``address:port``."""
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """One host: how it is reached, and what it alone is told."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict, repr=False)
    ssh: Ssh | None = None
    connector: Literal["local"] | None = None
    chroot: str | None = None

    def __post_init__(self) -> None:
        ways = [way for way in (self.ssh, self.connector, self.chroot) if way is not None]
        if len(ways) > 1:
            raise ValueError("expected one of ssh, connector and chroot, got several")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One thing for a worker to do."""

    action: Action
    deploy: str
    """Import path of a pyinfra deploy, ``package.module:function``."""
    path: str
    """Folder that the deploy is imported from, and that its file names are relative to."""
    hosts: tuple[Host, ...]
    arguments: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What all hosts are told; a host's own arguments win."""
    sudo: bool = False
    settled: bool = False
    """Whether any host of the group ever was what was wanted, as the state says."""
    parallel: int | None = None
    """How many hosts at once; None is all of them."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts that nothing that leaves the worker may show; private keys are added by itself."""
    deadline: float = 60
    """Seconds that a probe has to succeed on every host."""
    interval: float = 1
    """Seconds between two attempts of a probe."""
    debug: bool = False
    """Whether pyinfra's own log goes, masked, to stderr."""

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """Read a line."""
        return _read(cls, _object(line))

    def to_json(self) -> str:
        """Return the line, without its end."""
        return json.dumps(asdict(self))

    def all_secrets(self) -> tuple[str, ...]:
        """Return every text to be masked."""
        keys = [key for host in self.hosts for key in _private_keys(host.ssh)]
        return (*self.secrets, *keys)


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """A host answered, with the key that it showed."""

    event: ClassVar = "connected"
    host: str
    host_key: str | None
    bastion_host_key: str | None = None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreachable:
    """A host did not answer, or not as it must."""

    event: ClassVar = "unreachable"
    host: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """What one operation would do, does, or did on one host."""

    event: ClassVar = "operation"
    host: str
    name: str
    status: Status
    diff: str | None = None
    details: tuple[str, ...] = ()
    """What would change beside text: modes, owners, commands."""
    at_least: bool = False
    """Whether an earlier operation that would change may turn this one's answer."""
    command: str | None = None
    exit: int | None = None
    output: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """Nothing more will be done on a host."""

    event: ClassVar = "finished"
    host: str
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: bool = False
    seconds: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """An argument is not what the contract wants; without a host, on every one of them."""

    event: ClassVar = "fault"
    host: str | None = None
    path: str
    reason: str

    def __str__(self) -> str:
        where = "every host" if self.host is None else f"host {self.host}"
        return f"{where}: {self.path}: {self.reason}" if self.path else f"{where}: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """Arguments that are not computed yet; a plan says nothing more of the host."""

    event: ClassVar = "unknown"
    host: str
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What a function that was asked on a host says of it."""

    event: ClassVar = "answered"
    host: str
    yes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The deploy itself is wrong: it can't be imported, or raised while it was read."""

    event: ClassVar = "broken"
    host: str | None = None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The last event."""

    event: ClassVar = "done"


Event: TypeAlias = (
    Connected | Unreachable | Operation | Finished | Fault | Unknown | Answered | Broken | Done
)
_EVENTS: dict[str, type[Event]] = {kind.event: kind for kind in Event.__args__}


def event_to_json(event: Event) -> str:
    """Return an event's line, without its end."""
    return json.dumps({"event": event.event, **asdict(event)})


def event_from_json(line: str | bytes) -> Event:
    """Read an event's line."""
    read = _object(line)
    kind = _EVENTS.get(str(read.pop("event", None)))
    if kind is None:
        raise ProtocolError("event: expected one of " + ", ".join(_EVENTS))
    return _read(kind, read)


def _object(line: str | bytes) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        raise ProtocolError("expected a line of JSON") from None
    if not isinstance(read, dict):
        raise ProtocolError("expected a JSON object")
    return read


def _read(kind: type[T], value: Mapping[str, object]) -> T:
    reading = typed.read(kind, value)
    wrong = [*map(str, reading.faults)]
    if not isinstance(reading.value, kind):
        wrong += [f"{path}: not known yet" for path in reading.unknown]
        raise ProtocolError("; ".join(wrong))
    return reading.value


def _private_keys(ssh: Ssh | None) -> list[str]:
    return [] if ssh is None else [ssh.private_key, *_private_keys(ssh.bastion)]
