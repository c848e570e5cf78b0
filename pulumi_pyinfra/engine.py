"""What is said to the engine, to be shown under the resource that it is about."""

from __future__ import annotations

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
        request = engine_pb2.LogRequest(
            severity=severity, message=text, urn=urn, streamId=0, ephemeral=live
        )
        await self._connected().Log(request)

    def _connected(self) -> engine_pb2_grpc.EngineStub:
        # Made at first use: a run without a change has nothing to say.
        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(self.address))
        return self._stub
