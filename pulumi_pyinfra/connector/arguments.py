"""pyinfra's global arguments, taken apart: what is run, as whom, and how it is to be watched."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.connectors.util import make_unix_command_for_host

from .commands import Command
from .shells import ROOT, USER

if TYPE_CHECKING:
    from pyinfra.api.arguments import ConnectorArguments
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

# With any of these, sudo itself has to look at each command.
_SUDO_OF_ITS_OWN = (
    *("_sudo_user", "_sudo_password", "_use_sudo_login", "_preserve_sudo_env"),
    *("_su_user", "_doas", "_dzdo"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How pyinfra wants a command to be run."""

    making: Mapping[str, Any]
    """What becomes part of the command: users, variables, folder, shell."""
    stdin: IO[bytes]
    success: Collection[int]
    timeout: float
    pty: bool

    @classmethod
    def for_command(cls, arguments: ConnectorArguments) -> Asked:
        """Read the arguments of a command."""
        making: dict[str, Any] = dict(arguments)
        return cls(
            stdin=_standard_input(making.pop("_stdin", None)),
            success=making.pop("_success_exit_codes", None) or [0],
            timeout=making.pop("_timeout", None) or math.inf,
            pty=bool(making.pop("_get_pty", None)),
            making=making,
        )

    @classmethod
    def for_file(cls, arguments: ConnectorArguments, stdin: IO[bytes] | None = None) -> Asked:
        """Read the arguments of a file, of which only a change of user matters to its copy."""
        asked = cls.for_command(arguments)
        return cls(
            stdin=stdin or BytesIO(),
            success=[0],
            timeout=asked.timeout,
            pty=False,
            making=asked.making if asked.elevated else {},
        )

    @property
    def elevated(self) -> bool:
        """Whether it runs as somebody else than the user of the connection."""
        return any(self.making.get(name) for name in ("_sudo", "_su_user", "_doas", "_dzdo"))

    @property
    def ordinary(self) -> bool:
        """Whether it has all the time, and breaks nothing that others need."""
        return self.timeout == math.inf and -1 not in self.success

    def command(self, state: State, host: Host, command: StringCommand) -> Command:
        """Return ``command`` as pyinfra's own connector would run it."""

        def text(making: Mapping[str, Any]) -> str:
            return str(make_unix_command_for_host(state, host, command, **making).get_raw_value())

        def alone() -> str:
            return text(self.making)

        kept = dict(self.making)
        if self.pty or kept.get("_shell_executable", "sh") is None:
            return Command(alone=alone, pty=self.pty)
        by_sudo = kept.get("_sudo") and not any(kept.get(name) for name in _SUDO_OF_ITS_OWN)
        if by_sudo:
            kept["_sudo"] = False
        # The kept shell sets variables by itself, so that no list of processes shows them.
        variables = kept.pop("_env", None) if by_sudo or not self.elevated else None
        # The same for a password: without pyinfra's ``env`` the shell sets it for sudo alone.
        framed = text(kept).removeprefix("env ")
        if variables:
            framed = f"(\n{_export(variables)} && {framed}\n)"
        return Command(alone=alone, framed=framed, shell=ROOT if by_sudo else USER)


def _standard_input(given: Any) -> IO[bytes]:  # noqa: ANN401  # strings, lists, files
    """Return what pyinfra's own connector would write: each item is a line."""
    if given and hasattr(given, "readlines"):
        given = given.readlines()
    lines = given if isinstance(given, (list, tuple)) else [given] if given else []
    return BytesIO("".join(line.removesuffix("\n") + "\n" for line in lines).encode())


def _export(variables: Mapping[str, Any]) -> str:
    pairs = (QuoteString(StringCommand(k, v, _separator="=")) for k, v in variables.items())
    return str(StringCommand("export", *pairs).get_raw_value())
