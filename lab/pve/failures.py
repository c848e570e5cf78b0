"""Failures on demand: what the API does to calls that change something, for tests of crashes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How a call fails."""

    REFUSED = "refused"
    """It is not done, and answered with a 500."""
    HANGS = "hangs"
    """It is not done and not answered; the connection ends when the caller gives up."""
    UNANSWERED = "unanswered"
    """It is done, and the connection ends without an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Which of the changing calls fail, and how."""

    how: How
    call: str = ""
    """Pattern that is looked for in ``METHOD /path``."""
    nth: int = 1
    """The first of those calls that fails, counted from when the failure was asked for."""
    times: int = 1
    """How many in a row do."""
    seconds: float = 3600
    """How long a call hangs, if nobody gives up before."""


class Failures:
    """The failures that were asked for, and how far each has come."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._seen: dict[Failure, int] = {}

    @contextmanager
    def asked(self, failure: Failure) -> Iterator[None]:
        """Have calls fail for as long as the block lasts."""
        with self._guard:
            self._seen[failure] = 0
        try:
            yield
        finally:
            with self._guard:
                del self._seen[failure]

    def of(self, call: str) -> Failure | None:
        """Return how a call is to fail, if it is; each call is asked about once."""
        with self._guard:
            found = None
            for failure in self._seen:
                if re.search(failure.call, call):
                    self._seen[failure] += 1
                    due = self._seen[failure] - failure.nth
                    found = failure if found is None and 0 <= due < failure.times else found
            return found
