"""What every call goes through: it is counted, admitted by its token, and may be made to fail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import wire
from .failures import Failure, How

PREFIX = "/api2/json"
SENTENCE = "x-pve-sentence"
"""The header in which an answer carries what belongs into its status line."""


class Gate:
    """The middleware of the API; what it keeps is in the app's state."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or don't."""
        api: FastAPI = scope["app"]
        call = f"{scope['method']} {scope['path'].removeprefix(PREFIX)}"
        api.state.calls.append(call)

        async def say(message: Message) -> None:
            await send(_with_its_sentence(message, receive))

        if dict(scope["headers"]).get(b"authorization") != f"PVEAPIToken={self._token}".encode():
            await answer("invalid token value!", 401)(scope, receive, say)
            return
        failure = None
        if scope["method"] != "GET":
            # In a thread: what a test does here may take its time.
            await run_in_threadpool(api.state.before_change, scope["path"])
            failure = api.state.failures.of(call)
        if failure is None:
            await self._app(scope, receive, say)
        else:
            await self._fail(failure, scope, receive, say)

    async def _fail(self, failure: Failure, scope: Scope, receive: Receive, say: Send) -> None:
        if failure.how is How.REFUSED:
            await answer("refused on demand, by the lab", 500)(scope, receive, say)
            return
        if failure.how is How.HANGS:
            with suppress(TimeoutError):
                await asyncio.wait_for(wire.gone(receive), failure.seconds)
        else:
            await self._app(scope, receive, _to_nobody)
        await wire.hang_up(receive)


def answer(message: str, status: int, errors: dict[str, str] | None = None) -> JSONResponse:
    """Return what Proxmox answers instead of data; the message is in the status line too."""
    body: dict[str, Any] = {"data": None, "message": f"{message}\n"}
    return JSONResponse(
        body | ({"errors": errors} if errors else {}),
        status_code=status,
        headers={
            SENTENCE: message.partition("\n")[0].encode("latin-1", "replace").decode("latin-1")
        },
    )


async def _to_nobody(_: Message) -> None:
    """Take an answer that nobody gets."""


def _with_its_sentence(message: Message, receive: Receive) -> Message:
    if message["type"] != "http.response.start":
        return message
    headers = dict(message["headers"])
    sentence = headers.pop(SENTENCE.encode(), None)
    if sentence is None:
        return message
    wire.say_in_status_line(receive, sentence.decode("latin-1"))
    return {**message, "headers": list(headers.items())}
