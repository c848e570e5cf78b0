"""What every call goes through: it is counted, admitted by its token, and may be made to fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import wire
from .failures import Failure, How

PREFIX = "/api2/json"
# What VM.Audit and VM.PowerMgmt are used for; that they allow a little more is not emulated.
_OF_POWER = re.compile(r"(?:GET|POST) /nodes/[^/]+/qemu/(\d+)/status/\w+")
SENTENCE = "x-pve-sentence"
"""The header in which an answer carries what belongs into its status line."""


class Gate:
    """The middleware of the API; what it keeps is in the app's state.

    ``token`` may do all; of the tokens of ``power`` each may see and change the power of some VMs.
    """

    def __init__(self, app: ASGIApp, *, token: str, power: Mapping[str, Collection[int]]) -> None:
        self._app, self._token, self._power = app, token, power

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or don't."""
        api: FastAPI = scope["app"]
        call = f"{scope['method']} {scope['path'].removeprefix(PREFIX)}"
        api.state.calls.append(call)

        async def say(message: Message) -> None:
            await send(_with_its_sentence(message, receive))

        refused = self._refusal(scope, call)
        if refused is not None:
            await refused(scope, receive, say)
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

    def _refusal(self, scope: Scope, call: str) -> JSONResponse | None:
        """Return what is said to who may not do this, or nothing."""
        said = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        token = said.removeprefix("PVEAPIToken=")
        if token == self._token:
            return None
        if token not in self._power:
            return answer("invalid token value!", 401)
        found = _OF_POWER.fullmatch(call)
        if found and int(found[1]) in self._power[token]:
            return None
        return answer("Permission check failed", 403)

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
