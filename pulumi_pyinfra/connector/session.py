"""A host's connection with all that hangs on it: its bastion, its shells."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from paramiko import SSHException

from .bastions import Bastions
from .commands import Commands
from .errors import ConnectionLostError, UnreachableError
from .link import connect

if TYPE_CHECKING:
    from pyinfra.api.state import State

    from .target import SshTarget

_bastions: WeakKeyDictionary[State, Bastions] = WeakKeyDictionary()


class Session:
    """What exists between connecting to a host and disconnecting from it."""

    def __init__(self, target: SshTarget, state: State) -> None:
        bastions = _bastions.setdefault(state, Bastions())
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

    def close(self) -> None:
        """End the connection; the bastion's too, if no other host is behind it."""
        self._end.close()
