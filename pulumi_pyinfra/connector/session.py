"""A host's connection with all that hangs on it: its bastion, its shells."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from paramiko import SSHException

from .commands import Commands
from .errors import ConnectionLostError, UnreachableError
from .keys import knows
from .link import connect

if TYPE_CHECKING:
    from .bastions import Bastions
    from .target import SshTarget


class Session:
    """What exists between connecting to a host and disconnecting from it."""

    def __init__(self, target: SshTarget, bastions: Bastions) -> None:
        with ExitStack() as undo:
            through = None
            if target.bastion:
                through = bastions.enter(target.bastion)
                undo.callback(bastions.leave, target.bastion)
            self._link = connect(target, through)
            undo.callback(self._link.close)
            try:
                self.commands = Commands(self._link)
            except TimeoutError:
                raise UnreachableError(f"{target.where}: no shell answers there") from None
            except (ConnectionLostError, SSHException) as error:
                raise UnreachableError(f"{target.where}: no shell can be opened: {error}") from None
            self._end = undo.pop_all()
        self.host_key = self._link.host_key
        self.bastion_host_key = through.host_key if through else None

    @property
    def alive(self) -> bool:
        """Whether nothing has ended the connection, as far as is known."""
        return self._link.alive

    def is_known_to(self, target: SshTarget) -> bool:
        """Whether ``target`` knows the host, and its bastion, by the keys that they have shown."""
        through = target.bastion
        return knows(target, self.host_key) and (
            through is None or knows(through, self.bastion_host_key or "")
        )

    def close(self) -> None:
        """End the connection; the bastion's too, if no other host is behind it."""
        self._end.close()
