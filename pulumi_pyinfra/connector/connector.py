"""The connector: what pyinfra asks of a host, answered over the shells that are kept open."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, TypedDict, cast
from weakref import WeakKeyDictionary

from pyinfra import logger
from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.output import echo
from pyinfra.api.util import get_file_io
from pyinfra.connectors.base import BaseConnector, DataMeta
from pyinfra.connectors.util import remove_any_sudo_askpass_file
from typing_extensions import Unpack, override

from .arguments import Asked
from .connections import Connections
from .errors import ConnectionLostError
from .output import Lines
from .target import SshTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import IOBase

    from pyinfra.api.arguments import ConnectorArguments
    from pyinfra.api.state import State
    from pyinfra.connectors.util import CommandOutput

    from .session import Session
    from .wire import Sink, Stream


_SIGNAL = 128
"""A shell adds the signal that ended a command to it."""


_of_state: WeakKeyDictionary[State, Connections] = WeakKeyDictionary()


class ConnectorData(TypedDict):
    """What a host's data holds for this connector."""

    ssh_target: SshTarget | None
    ssh_connections: Connections | None


class FramedSshConnector(BaseConnector):
    """Runs everything that pyinfra asks for over one connection and one shell per host."""

    handles_execution = True
    data_cls = ConnectorData
    data_meta = {  # noqa: RUF012  # pyinfra's interface
        "ssh_target": DataMeta("An SshTarget: where the host is, and the key to it"),
        "ssh_connections": DataMeta(
            "Connections that outlive the state; else each state has its own"
        ),
    }
    data: ConnectorData

    host_key: str | None = None
    """The key that the host has shown, as it is written in ``SshTarget.host_keys``."""
    bastion_host_key: str | None = None
    """The key that its bastion has shown."""

    _session: Session | None = None

    @override
    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """Yield the one host that a name of the inventory stands for."""
        yield f"@framed/{name}", {}, []

    @override
    def connect(self) -> None:
        """Connect, check the host's key, authenticate once and open a shell."""
        target = self.data["ssh_target"]
        if target is None:
            raise ConnectError(f"{self.host.name}: there is no ssh_target in the host's data")
        if target.host_keys is None and self.host_key:
            # A host that is met again must be the one that was met first.
            target = replace(target, host_keys=(self.host_key,))
        self._hang_up()
        self._session = self._connections.open(target)
        self.host_key = self._session.host_key
        self.bastion_host_key = self._session.bastion_host_key

    @override
    def disconnect(self) -> None:
        """Take away what pyinfra put on the host, and end the connection."""
        if self._session and self._session.alive:
            remove_any_sudo_askpass_file(self.host)
        self._hang_up()

    @override
    def run_shell_command(
        self,
        command: StringCommand,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> tuple[bool, CommandOutput]:
        """Run a command, and return whether it succeeded and what it wrote."""
        if print_input:
            echo(f"{self.host.print_prefix}>>> {command}", err=True)
        success, output = self._answer(command, Asked.for_command(arguments))
        if print_output:
            for line in output:
                echo(f"{self.host.print_prefix}{line.line}", err=True)
        return success, output

    def run_together(
        self, asked: Sequence[tuple[StringCommand, ConnectorArguments]]
    ) -> list[tuple[bool, CommandOutput]]:
        """Run commands that only look, and return what ``run_shell_command`` would for each.

        They are sent at once, so that all of them take about one round trip. Which of them runs
        first is not said, root's run beside the user's, and one may run twice: when the shell ends
        with it, it is run again by itself. What can't share a shell (a terminal, much standard
        input, an ampersand, a timeout, -1 as a success) is run afterwards, one by one. When the
        connection is lost there is no answer at all but a ``ConnectionLostError``.
        """
        session = self._connected()
        each = [(command, Asked.for_command(arguments)) for command, arguments in asked]
        together = {
            number: (how.command(self.state, self.host, command), how.stdin)
            for number, (command, how) in enumerate(each)
            if how.ordinary
        }
        answered = session.commands.run_together(together)
        answers = []
        for number, (command, how) in enumerate(each):
            if number in answered:
                code, output = answered[number]
                answers.append((code in how.success, output))
            else:
                answers.append(self._answer(command, how))
        return answers

    @override
    def put_file(
        self,
        filename_or_io: str | IOBase,
        remote_filename: str,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> bool:
        """Write a file on the host as the user who is asked for, without a copy on the way."""
        command = StringCommand("cat", ">", QuoteString(remote_filename))
        with get_file_io(cast("str | IO[Any]", filename_or_io), "rb") as file:
            # Somebody may have opened it as text.
            asked = Asked.for_file(arguments, getattr(file, "buffer", file))
            return self._copy(f"upload to {remote_filename}", command, asked, print_output)

    @override
    def get_file(
        self,
        remote_filename: str,
        filename_or_io: str | IOBase,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Unpack[ConnectorArguments],
    ) -> bool:
        """Read a file on the host as the user who is asked for, without a copy on the way."""
        command = StringCommand("cat", QuoteString(remote_filename))
        asked = Asked.for_file(arguments)
        with get_file_io(cast("str | IO[Any]", filename_or_io), "wb") as file:
            what = f"download of {remote_filename}"
            return self._copy(what, command, asked, print_output, file)

    def _copy(
        self,
        what: str,
        command: StringCommand,
        asked: Asked,
        print_output: bool,
        into: IO[bytes] | None = None,
    ) -> bool:
        said = Lines()

        def sink(stream: Stream, data: bytes) -> None:
            if into and stream == "stdout":
                into.write(data)
            else:
                said.take(stream, data)

        if self._run(command, asked, sink):
            if print_output:
                echo(f"{self.host.print_prefix}{what}: done", err=True)
            return True
        reason = f"{what}: {said.output().output}"
        if not asked.elevated:
            raise OSError(reason)  # as SFTP does
        logger.error("%s%s", self.host.print_prefix, reason)
        return False

    def _answer(self, command: StringCommand, asked: Asked) -> tuple[bool, CommandOutput]:
        lines = Lines()
        success = self._run(command, asked, lines.take)
        return success, lines.output()

    def _run(self, command: StringCommand, asked: Asked, sink: Sink) -> bool:
        session = self._connected()
        deadline = time.monotonic() + asked.timeout
        wanted = asked.command(self.state, self.host, command)
        # What pyinfra's own connector has for a lost connection and for a command that a signal
        # ended, of which a shell says 128 and the signal: what reboots takes it for success.
        broken = -1 in asked.success
        try:
            code = session.commands.run(wanted, asked.stdin, sink, deadline)
        except ConnectionLostError:
            if broken:
                return True
            raise
        return code in asked.success or (broken and code > _SIGNAL)

    def _connected(self) -> Session:
        if self._session is None:
            raise ConnectionLostError(f"{self.host.name} is not connected")
        return self._session

    def _hang_up(self) -> None:
        if self._session and (target := self.data["ssh_target"]):
            self._connections.give_back(target, self._session)
            self._session = None

    @property
    def _connections(self) -> Connections:
        given = self.data["ssh_connections"]
        return given if given is not None else _of_state.setdefault(self.state, Connections())
