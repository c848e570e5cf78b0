"""Runs commands on a host: on a shell that is kept open, or where it must be on a channel each."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from paramiko import ChannelException

from .feed import Feed
from .frame import Frame
from .shells import USER, Shells
from .together import Part, run_together
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinfra.connectors.util import CommandOutput

    from .link import Link
    from .wire import Sink

INLINE = 1 << 16
"""How many bytes of standard input travel as text to a shell; more needs a channel of its own."""

PATIENCE = 2
"""Seconds in which a host has to make room for another channel."""

# An ampersand that may start a process in the background. Such a process keeps the streams of the
# shell, which is therefore not used again; one too many only costs a new shell.
_BACKGROUND = re.compile(r"(?<![&<>])&(?![&>])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What to run, in both forms."""

    alone: Callable[[], str]
    """As the one command of a channel, where the user's own shell runs it."""
    framed: str | None = None
    """As one of the commands of a shell that is kept open, where it may run there."""
    shell: str = USER
    pty: bool = False


class Commands:
    """Runs what one connection is asked for."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._shells = Shells(link)
        self._shells.greet()

    def run(self, command: Command, stdin: IO[bytes], sink: Sink, deadline: float) -> int:
        """Run ``command`` and return its exit code; what it writes goes to ``sink``."""
        head = stdin.read(INLINE + 1)
        framed = command.framed if len(head) <= INLINE else None
        if framed is None or (shell := self._shells.claim(command.shell)) is None:
            return self._alone(command, Feed(head, stdin), sink, deadline)
        try:
            return shell.run(Frame(framed, head), sink, deadline)
        finally:
            shell.spoilt = shell.spoilt or bool(_BACKGROUND.search(framed))
            shell.busy.release()

    def run_together(
        self, asked: Mapping[int, tuple[Command, IO[bytes]]]
    ) -> dict[int, tuple[int, CommandOutput]]:
        """Run those at once that can share a shell; ``run`` is left to do the others."""
        parts = []
        for number, (command, stdin) in asked.items():
            head = stdin.read(INLINE + 1)
            stdin.seek(0)
            framed = command.framed
            if framed and len(head) <= INLINE and not _BACKGROUND.search(framed):
                parts.append(Part(number=number, shell=command.shell, framed=framed, stdin=head))
        return run_together(self._shells, parts)

    def _alone(self, command: Command, feed: Feed, sink: Sink, deadline: float) -> int:
        """Run a command on a channel of its own."""
        wire = self._channel(command)
        try:
            feed.into(wire)
            while received := wire.receive(deadline):
                for stream, data in received:
                    sink(stream, data)
            feed.check()
            code = wire.exit_code(deadline)
        except BaseException:
            self._shells.leave(wire)
            raise
        wire.close()
        return code

    def _channel(self, command: Command) -> Wire:
        program = command.alone()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return Wire(self._link, program, pty=command.pty)
            except ChannelException:
                if time.monotonic() >= deadline:
                    raise
                # sshd counts a closed channel until its next turn, and doesn't say when that is.
                self._shells.give_way()
                time.sleep(0.01)
