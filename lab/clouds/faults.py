"""Every call of an API is counted, and may be made to fail in the ways that real ones do."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Effect = Literal["refused", "silence", "lost answer", "delay"]
KEPT_CALLS = 100_000


@dataclass(kw_only=True)
class Fault:
    """What befalls the calls that match, such as ``POST DnsRecord`` or ``* Server``.

    ``silence``: nothing is done and nothing is said until the caller gives up. ``lost answer``:
    it is done, and the connection breaks before the caller hears of it.
    """

    match: str
    effect: Effect
    nth: int = 1
    """The first of the matching calls that it befalls."""
    times: int = 1
    status: int = 503
    """What ``refused`` answers."""
    seconds: float = 1
    """How long ``delay`` waits."""
    seen: int = field(default=0, init=False)

    def strikes(self, call: str) -> bool:
        """Count a call, and tell whether this one is befallen."""
        if not fnmatchcase(call, self.match):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class Faults:
    """An ASGI layer before an API; the lab's own pages are spared and not counted."""

    def __init__(self, app: ASGIApp, *, prefix: str, spared: Iterable[str]) -> None:
        self._app, self._prefix = app, prefix
        self._spared = frozenset(spared)
        self.calls: deque[str] = deque(maxlen=KEPT_CALLS)
        self.planned: list[Fault] = []

    @property
    def counted(self) -> Counter[str]:
        """Return how often each call came."""
        return Counter(self.calls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, unless it is befallen."""
        if scope["type"] != "http" or scope["path"].removeprefix(self._prefix) in self._spared:
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._prefix).removeprefix("/lab/records/")
        call = f"{scope['method']} {path}"
        self.calls.append(call)
        for fault in [fault for fault in self.planned if fault.strikes(call)]:
            if fault.effect == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.effect == "refused":
                said = {"code": "fault", "message": f"made to fail by the lab, as {call}"}
                answer = JSONResponse({"error": said}, status_code=fault.status)
                await answer(scope, receive, send)
                return
            elif fault.effect == "silence":
                await _until_given_up(receive)
                return
            else:
                await self._app(scope, receive, _unheard)
                await _break(send)
                return
        await self._app(scope, receive, send)


async def _until_given_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unheard(_message: Message) -> None:
    """Take an answer, and pass it to nobody."""


async def _break(send: Send) -> None:
    # A server that has promised a body and gets none closes the connection.
    length = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
