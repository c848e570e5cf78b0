"""Progress that people read: what is being done, how long it took, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WIDTH = 34


class Steps:
    """Steps of one run, each with its time."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def step(self, title: str, do: Callable[[], T], said: Callable[[T], str] | None = None) -> T:
        """Do one thing and print a line about it, also when it fails."""
        print(f"  {title:<{WIDTH}}", end="", flush=True)
        began = time.monotonic()
        try:
            result = do()
        except BaseException:
            print(f"{time.monotonic() - began:6.1f} s   failed", flush=True)
            raise
        text = f"   {said(result)}" if said else ""
        print(f"{time.monotonic() - began:6.1f} s{text}", flush=True)
        return result

    @property
    def seconds(self) -> float:
        """Return how long all of it took until now."""
        return time.monotonic() - self._started
