"""What an earlier run left running on a host has to end before the next one starts there.

A command outlives a killed worker, provider or engine and a lost connection: sshd ends nothing.
Started beside it, the same operation would find its work not done yet and do it twice. So each
command of a run carries a mark in its environment, and the next run looks for it in ``/proc``.

Not seen are: commands on a channel of their own (a terminal, much standard input), those of the
local connector once their worker is dead, and, without ``sudo`` for the whole deploy, other users'.
"""

from __future__ import annotations

import hashlib
import time
from functools import partial
from typing import Any

import gevent
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from ..protocol import Finished, Operation, Request, Status, Unreachable
from .hosts import WatchedHost
from .session import Session

PATIENCE = 10 * 60
"""Seconds that are waited for an earlier run's operation; it may hang."""
_PAUSE = 0.5
_MARK = "PYINFRA_DEPLOY"
_NAME = "Wait for what an earlier run left running"
# A service that an operation has started has the mark as well. But the shell that it came from has
# ended (a dead process has no command line any more); that of a command which still runs, the
# leader of its session, waits for it unmarked.
_LOOK = """
for found in $(grep -sl '{mark}' /proc/[0-9]*/environ); do
    process=${{found%/environ}}
    read -r stat 2>/dev/null <$process/stat || continue
    set -- ${{stat##*) }}
    grep -qs . /proc/$4/cmdline && ! grep -qs '{mark}' /proc/$4/environ || continue
    echo "process ${{process#/proc/}}: $(tr '\\0' ' ' 2>/dev/null <$process/cmdline | head -c 300)"
    break
done
"""


class MarkedHost(WatchedHost):
    """A host whose commands can be told from all others that run there."""

    mark: str = ""

    @override
    def run_shell_command(
        self, command: StringCommand | str, *args: Any, **kwargs: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a command with the mark."""
        name, _, value = self.mark.partition("=")
        marked = {**(kwargs.get("_env") or {}), name: value}
        return super().run_shell_command(command, *args, **{**kwargs, "_env": marked})

    def left_running(self, *, sudo: bool) -> str:
        """Return a process of an earlier run, or nothing."""
        _, output = super().run_shell_command(
            StringCommand(_LOOK.format(mark=self.mark)), _sudo=sudo
        )
        return output.stdout.strip()


def wait_for_earlier_run(session: Session[MarkedHost]) -> None:
    """Wait on every host; one that can't be asked, or where it takes too long, is left as it is."""
    deadline = time.monotonic() + PATIENCE

    def wait(host: MarkedHost) -> None:
        host.mark = f"{_MARK}={_digest(session.request, host)}"
        try:
            still = _wait(session, host, deadline)
        except Exception as error:  # noqa: BLE001 - one host must not be the end of the others
            session.channel.send(Unreachable(host=host.name, reason=str(error)))
            session.hosts.remove(host)
            return
        if still:
            session.channel.send(Finished(host=host.name, failed=True))
            session.hosts.remove(host)

    session.each(wait, list(session.hosts))


def _wait(session: Session[MarkedHost], host: MarkedHost, deadline: float) -> str:
    """Return what still runs after all that time, or nothing."""
    if not (process := host.left_running(sudo=session.request.sudo)):
        return ""
    say = partial(Operation, host=host.name, name=_NAME)
    session.channel.send(say(status=Status.STARTED))
    while process and time.monotonic() < deadline:
        gevent.sleep(_PAUSE)
        process = host.left_running(sudo=session.request.sudo)
    status = Status.FAILED if process else Status.UNCHANGED
    session.channel.send(say(status=status, output=process or None))
    return process


def _digest(request: Request, host: MarkedHost) -> str:
    return hashlib.sha256(f"{request.deploy}\0{host.name}".encode()).hexdigest()[:16]
