"""What ASGI has no words for: a connection that just ends, and a sentence in the status line.

Both reach for uvicorn's own objects, through the method by which it hands over a request.
"""

from __future__ import annotations

from typing import Any, cast

import h11
from starlette.types import Receive


async def gone(receive: Receive) -> None:
    """Return when the caller is."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(receive: Receive) -> None:
    """End the connection without a word more."""
    _cycle(receive).transport.abort()
    await gone(receive)


def say_in_status_line(receive: Receive, sentence: str) -> None:
    """Have the next answer carry a sentence where others carry ``Internal Server Error``."""
    connection = _cycle(receive).conn
    reason = sentence.partition("\n")[0].encode("latin-1", "replace")

    def send(event: h11.Event) -> bytes | None:
        del connection.send  # the class's own comes back
        if isinstance(event, h11.Response):
            event = h11.Response(
                status_code=event.status_code, headers=list(event.headers), reason=reason
            )
        sent: bytes | None = connection.send(event)
        return sent

    connection.send = send


def _cycle(receive: Receive) -> Any:  # noqa: ANN401 - uvicorn's, which names no type for it
    return cast("Any", receive).__self__
