"""What an earlier run left running on a host has to end before the next one starts there.

A command outlives a killed worker, provider or engine and a lost connection: sshd ends nothing.
Started beside it, the same operation would find its work not done yet and do it twice. So each
command of a run carries a mark in its environment, and the next run looks for it in ``/proc``.
The mark is that of the deploy and the host's name; in one run, that of one provider, several
resources may have both in common and don't wait for each other.

Not seen are: commands on a channel of their own (a terminal, much standard input), those of the
local connector once their worker is dead, and, without ``sudo`` for the whole deploy, other users'.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gevent
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from ..protocol import Finished, Operation, Status, Unreachable
from .hosts import WatchedHost
from .session import Session

PATIENCE = 10 * 60
"""Seconds that are waited for an earlier run's operation; it may hang."""
_PAUSE = 0.5
_DEPLOY, _RUN = "PYINFRA_DEPLOY", "PYINFRA_RUN"
_NAME = "Wait for what an earlier run left running"
# A service that an operation has started has the mark as well. But what started it has ended, so
# that it does not descend any more from the shell that runs commands, a leader without a mark.
_LOOK = """
for found in $(grep -sl '{deploy}' /proc/[0-9]*/environ); do
    ! grep -qs '{run}' $found || continue
    process=${{found%/environ}}
    read -r stat 2>/dev/null <$process/stat || continue
    set -- ${{stat##*) }}
    above=$2 leader=$4
    while [ $above -gt 1 ] && [ $above != $leader ]; do
        read -r stat 2>/dev/null </proc/$above/stat || break
        set -- ${{stat##*) }}
        above=$2
    done
    [ $above = $leader ] && ! grep -qs '{deploy}' /proc/$leader/environ || continue
    echo "process ${{process#/proc/}}: $(tr '\\0' ' ' 2>/dev/null <$process/cmdline | head -c 300)"
    break
done
"""


def look_for(mark: Mapping[str, str]) -> str:
    """Return the shell's words that find a command of an earlier run which still runs."""
    return _LOOK.format(
        deploy=f"{_DEPLOY}={mark[_DEPLOY]}",
        run=f"{_RUN}={mark[_RUN]}",
    )


def mark_of(deploy: str, host: str) -> dict[str, str]:
    """Return what the environment of each command of this run has in it."""
    return {_DEPLOY: _digest(deploy, host), _RUN: _this_run()}


class MarkedHost(WatchedHost):
    """A host whose commands can be told from all others that run there."""

    mark: Mapping[str, str] = MappingProxyType({})

    @override
    def run_shell_command(
        self, command: StringCommand | str, *args: Any, **kwargs: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a command with the mark."""
        marked = {**(kwargs.get("_env") or {}), **self.mark}
        return super().run_shell_command(command, *args, **{**kwargs, "_env": marked})

    def left_running(self, *, sudo: bool) -> str:
        """Return a process of an earlier run, or nothing."""
        _, output = super().run_shell_command(StringCommand(look_for(self.mark)), _sudo=sudo)
        return output.stdout.strip()


def wait_for_earlier_run(session: Session[MarkedHost]) -> None:
    """Wait on every host; one that can't be asked, or where it takes too long, is left as it is."""
    deadline = time.monotonic() + PATIENCE

    def wait(host: MarkedHost) -> None:
        host.mark = mark_of(session.request.deploy, host.name)
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


@cache
def _this_run() -> str:
    """Tell this run's provider from all others: it has started this process."""
    provider = os.getppid()
    try:
        since = Path(f"/proc/{provider}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        since = ""
    return _digest(platform.node(), str(provider), since)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
