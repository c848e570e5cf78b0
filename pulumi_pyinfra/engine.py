"""What is said to the engine, to be shown under the resource that it is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class Engine:
    """The engine's log."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._stub: engine_pb2_grpc.EngineStub | None = None

    async def say(self, urn: str, text: str, *, live: bool = False, warning: bool = False) -> None:
        """Show ``text`` under a resource; what is ``live`` gives way to what comes after it."""
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        await self._log(severity, text, urn, ephemeral=live)

    async def debug(self, text: str) -> None:
        """Show ``text`` to those who asked for everything."""
        await self._log(engine_pb2.DEBUG, text)

    async def _log(
        self,
        severity: engine_pb2.LogSeverity.ValueType,
        text: str,
        urn: str = "",
        *,
        ephemeral: bool = False,
    ) -> None:
        request = engine_pb2.LogRequest(
            severity=severity, message=text, urn=urn, streamId=0, ephemeral=ephemeral
        )
        await self._connected().Log(request)

    @cached_property
    def wants_diffs(self) -> bool:
        """Whether the engine was told ``--diff``.

        It keeps that to itself, so its own command line is read; where none is found, yes.
        """
        return self._command is None or bool({"--diff", "--diff=true"} & self._command)

    @cached_property
    def wants_debug(self) -> bool:
        """Whether the engine was told ``--debug``: then pyinfra's own log is for it."""
        return bool({"--debug", "--debug=true", "-d"} & (self._command or set()))

    @cached_property
    def _command(self) -> set[str] | None:
        commands = (command for command in _ancestors() if Path(command[0]).name == "pulumi")
        return set(next(commands, ())) or None

    def _connected(self) -> engine_pb2_grpc.EngineStub:
        # Made at first use: a run without a change has nothing to say.
        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(self.address))
        return self._stub


def _ancestors() -> Iterator[list[str]]:
    """Yield the command lines of the processes that started this one, nearest first."""
    number = os.getppid()
    while number > 1:
        process = Path(f"/proc/{number}")
        try:
            command = process.joinpath("cmdline").read_text(errors="replace")
            # The name stands in brackets and may hold anything; the parent is the second after it.
            number = int(
                process.joinpath("stat").read_text(errors="replace").rpartition(")")[2].split()[1]
            )
        except (OSError, ValueError):
            return
        yield command.split("\0")
