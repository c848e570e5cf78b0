"""The shells that are kept open on a connection, and what still runs on channels given up."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from paramiko import ChannelException

from .shell import Shell

if TYPE_CHECKING:
    from .link import Link
    from .wire import Wire

USER = "exec sh"
ROOT = "exec sudo -H -n sh"


class Shells:
    """Keeps a shell of each kind and opens another when it is spoilt."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._kept: dict[str, Shell] = {}
        self._refused: set[str] = set()
        # What still runs there goes on until the connection ends, as pyinfra lets it.
        self._left: deque[Shell | Wire] = deque(maxlen=4)

    def greet(self) -> None:
        """Open the user's shell before the first command needs it."""
        if shell := self._open(USER):
            shell.busy.release()

    def claim(self, program: str) -> Shell | None:
        """Return a shell that is ours until its ``busy`` is released; None if there is none."""
        shell = self._kept.get(program)
        if program in self._refused or (shell and not shell.busy.acquire(blocking=False)):
            return None
        if shell and shell.usable:
            return shell
        if shell:
            self.leave(shell)
        try:
            return self._open(program)
        except ChannelException:
            return None  # the host allows no further channel

    def leave(self, channel: Shell | Wire) -> None:
        """Give up a channel on which something may still run."""
        self._left.append(channel)

    def give_way(self) -> None:
        """Close what nobody waits for: a host may allow few channels at a time."""
        idle = [name for name, shell in self._kept.items() if shell.busy.acquire(blocking=False)]
        for name in idle:
            self._kept.pop(name).close()
        while self._left:
            self._left.pop().close()

    def _open(self, program: str) -> Shell | None:
        self._kept.pop(program, None)
        shell = Shell(self._link, program)
        if not shell.answers():
            self._refused.add(program)
            shell.close()
            return None
        self._kept[program] = shell
        return shell
