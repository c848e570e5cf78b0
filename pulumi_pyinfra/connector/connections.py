"""The connections of several hosts: their bastions are shared, and they may be kept for later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bastions import Bastions
from .session import Session

if TYPE_CHECKING:
    from .target import SshTarget


class Connections:
    """Opens connections; where they are to be kept, a host that is met again needs no new one."""

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._bastions = Bastions()
        self._kept: dict[SshTarget, Session] = {}

    def open(self, target: SshTarget) -> Session:
        """Return a connection to ``target``."""
        kept = self._kept.pop(target.door, None)
        if kept and kept.alive and kept.is_known_to(target):
            return kept
        if kept:
            kept.close()
        return Session(target, self._bastions)

    def give_back(self, target: SshTarget, session: Session) -> None:
        """Say that a connection is not needed now."""
        if self._keep and session.alive and target.door not in self._kept:
            self._kept[target.door] = session
        else:
            session.close()

    def close(self) -> None:
        """End what was kept."""
        while self._kept:
            self._kept.popitem()[1].close()
