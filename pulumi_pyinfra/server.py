"""The gRPC server that the engine talks to.

It is that of ``pulumi.provider.experimental``, with the two answers that its ``Provider`` can't
give: an update that succeeded in part (what was reached is kept in state, with the reasons), and a
clear failure without a Python traceback.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import grpc.aio
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from .engine import Engine
from .failures import DeployFailedError, PartlyDoneError
from .provider import PyinfraProvider
from .worker_process import under_way

VERSION = "0.1.0"
PATIENCE = 30 * 60
"""Seconds that calls under way have to come to their end when this process is asked to end."""
_LOOK = 1
"""Seconds between two looks for the process that started this one."""


class Servicer(ProviderServicer):
    """Answers the engine for one :class:`PyinfraProvider`."""

    def __init__(
        self, arguments: list[str], provider: PyinfraProvider, engine: Engine, version: str
    ) -> None:
        super().__init__(arguments, version, provider, engine_address=engine.address)
        self._engine = engine
        self._cancelled = False

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC's
        """Let what runs finish, start nothing more, and say what is waited for.

        The engine then waits for its calls without a limit. When it is interrupted once more it
        asks this again, and kills this process as soon as it is answered.
        """
        answer = await self._kept(super().Cancel, request, context)
        if running := ", ".join(under_way()):
            last = self._cancelled
            text = (
                "not waited for, it goes on by itself" if last else "waited for, nothing follows it"
            )
            await self._engine.say("", f"{text}: {running}", warning=last)
        self._cancelled = True
        return answer

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC's
        """Create the resource; what was reached is kept when it fails half way."""
        return await self._kept(super().Create, request, context)

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC's
        """Update the resource; what was reached is kept when it fails half way."""
        return await self._kept(super().Update, request, context)

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC's
        """Delete the resource."""
        return await self._kept(super().Delete, request, context)

    async def _kept(
        self,
        answer: Callable[[Any, Any], Awaitable[Any]],
        request: Any,  # noqa: ANN401 - gRPC's
        context: Any,  # noqa: ANN401 - gRPC's
    ) -> Any:  # noqa: ANN401 - gRPC's
        try:
            return await answer(request, context)
        except Exception as wrapped:
            # The SDK wraps what a provider raises into a bare Exception.
            error = wrapped.__context__ or wrapped
            if isinstance(error, PartlyDoneError):
                await context.abort_with_status(_partly_done(error))
            if isinstance(error, DeployFailedError):
                await context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise


def _partly_done(error: PartlyDoneError) -> grpc.Status:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=PropertyValue.marshal_map(error.properties),
        reasons=error.reasons,
        inputs=PropertyValue.marshal_map(error.inputs),
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    answer = grpc.Status()
    answer.code, answer.details = grpc.StatusCode.UNKNOWN, str(error)
    answer.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    return answer


def serve(
    arguments: Sequence[str],
    provider: Callable[[Engine], PyinfraProvider] = PyinfraProvider,
    version: str = VERSION,
) -> None:
    """Serve until the engine ends it, or the terminal does."""
    engine = Engine(next(a for a in arguments if not a.startswith("-")))
    asyncio.run(_serve(engine, list(arguments), provider(engine), version))


async def _serve(
    engine: Engine, arguments: list[str], provider: PyinfraProvider, version: str
) -> None:
    parent = os.getppid()
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer(arguments, provider, engine, version)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await _asked_to_end(asked, parent)
    await provider.cancel()
    # What the running calls have to say is worth the state that it ends in.
    await server.stop(PATIENCE)
    await provider.close()


async def _asked_to_end(asked: asyncio.Event, parent: int) -> None:
    """Wait for a signal, or for the end of the process that started this one."""
    while not asked.is_set() and os.getppid() == parent:
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), _LOOK)
