"""Downloads over HTTPS, and the one decision whether this machine can download at all."""

from __future__ import annotations

import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path

from .tool import SourceError

CONNECT_SECONDS = 4.0
READ_SECONDS = 30.0

Opener = Callable[[str, float], HTTPResponse]


def _open(url: str, timeout: float) -> HTTPResponse:
    # S310 wants the scheme checked: Network refuses all but https before it calls this.
    request = urllib.request.Request(url, headers={"User-Agent": "coldstorage"})  # noqa: S310
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
    return answer


@dataclass(slots=True)
class Network:
    """Fetches files; once the first server cannot be reached, it asks none again."""

    open: Opener = _open
    closed: str | None = None
    """Why nothing can be downloaded here, once that is known."""
    _reached: bool = field(default=False, init=False)

    def text(self, url: str) -> str:
        """Return a small text file."""
        with self._answer(url) as answer:
            return answer.read().decode()

    def file(self, url: str, target: Path) -> None:
        """Write a file; an interrupted download leaves at most `target`, which the caller owns."""
        with self._answer(url) as answer, target.open("wb") as out:
            try:
                shutil.copyfileobj(answer, out)
            except OSError as error:
                raise SourceError(f"the download of {url} broke off: {error}") from error
            expected = answer.headers.get("Content-Length")
            if expected is not None and out.tell() != int(expected):
                raise SourceError(
                    f"the download of {url} broke off: expected {expected} bytes, got {out.tell()}"
                )

    def _answer(self, url: str) -> HTTPResponse:
        if not url.startswith("https://"):
            raise SourceError(f"{url}: expected an https address")
        if self.closed:
            raise SourceError(self.closed)
        if not self._reached:
            self._probe(url)
        try:
            return self.open(url, READ_SECONDS)
        except OSError as error:
            raise SourceError(f"{url}: {_reason(error)}") from error

    def _probe(self, url: str) -> None:
        """Find out whether a server can be reached, in a thread: a look-up ignores time-outs."""
        failures: list[OSError] = []

        def connect() -> None:
            try:
                self.open(url, CONNECT_SECONDS).close()
            except urllib.error.HTTPError:
                pass  # It answered, so the network is open; the real request says what is wrong.
            except OSError as error:
                failures.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(CONNECT_SECONDS + 1)
        if thread.is_alive():
            self.closed = f"nothing can be downloaded here ({url}: no answer in time)"
        elif failures:
            self.closed = f"nothing can be downloaded here ({url}: {_reason(failures[0])})"
        self._reached = not self.closed
        if self.closed:
            raise SourceError(self.closed)


def _reason(error: OSError) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error)
