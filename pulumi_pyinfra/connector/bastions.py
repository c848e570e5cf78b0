"""Connections to bastions, shared by the hosts behind them: 100 hosts must not knock 100 times."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyinfra.api.exceptions import ConnectError

from .errors import UnreachableError
from .link import Link, connect

if TYPE_CHECKING:
    from .target import SshTarget


@dataclass(slots=True)
class _Door:
    lock: threading.Lock = field(default_factory=threading.Lock)
    link: Link | None = None
    users: int = 0
    refusal: ConnectError | None = None
    refused_at: float = 0


class Bastions:
    """Opens one connection per bastion and closes it when the last host has left."""

    def __init__(self) -> None:
        self._doors: dict[SshTarget, _Door] = defaultdict(_Door)

    def enter(self, target: SshTarget) -> Link:
        """Return a connection to ``target``; each call that returns needs a ``leave``."""
        asked = time.monotonic()
        door = self._doors[target]
        with door.lock:
            # Who waited while another was refused has the same answer; a refused key is final.
            final = not isinstance(door.refusal, UnreachableError)
            if door.refusal and (final or door.refused_at >= asked):
                raise door.refusal
            if door.link and not door.link.alive:
                self._shut(target, door)
            if not door.link:
                door.link = self._open(target, door)
            door.users += 1
            return door.link

    def leave(self, target: SshTarget) -> None:
        """Say that a host no longer needs ``target``."""
        door = self._doors[target]
        with door.lock:
            door.users -= 1
            if door.users == 0:
                self._shut(target, door)

    def _open(self, target: SshTarget, door: _Door) -> Link:
        onward = self.enter(target.bastion) if target.bastion else None
        try:
            return connect(target, onward)
        except ConnectError as error:
            door.refusal, door.refused_at = error, time.monotonic()
            if target.bastion:
                self.leave(target.bastion)
            raise

    def _shut(self, target: SshTarget, door: _Door) -> None:
        if door.link:
            door.link.close()
            door.link = None
            if target.bastion:
                self.leave(target.bastion)
