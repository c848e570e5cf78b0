"""What a plan will ask a host is asked in few rounds, before it asks for one thing after the other.

Every operation's own code is tried at once, each by a scout. A scout stops where it asks the host
something. When all of them have stopped, what they ask is sent together, and they go on with the
answers. What they make of it is thrown away: the plan itself finds the answers and need not wait.
Over a slow link that is a handful of round trips, instead of one for each question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import gevent
from gevent.event import AsyncResult, Event
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput

Answer: TypeAlias = tuple[bool, CommandOutput]
Question: TypeAlias = tuple[StringCommand | str, dict[str, Any]]
Together: TypeAlias = Callable[[Sequence[Question]], Sequence[Answer]]


class Rounds:
    """Collects what scouts ask until none of them can go on, and asks it together."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self._asked: dict[str, tuple[Question, AsyncResult[Answer], int]] = {}
        self._walking = 0
        self._stopped = Event()

    def ask(self, key: str, question: Question) -> Answer:
        """Wait for the round in which a question is asked, and return the answer."""
        _, answer, many = self._asked.get(key) or (question, AsyncResult(), 0)
        self._asked[key] = question, answer, many + 1
        self._one_less()
        answered: Answer = answer.get()  # type: ignore[assignment]  # its stubs allow for a timeout
        return answered

    def walk(self, scouts: Sequence[Callable[[], object]]) -> None:
        """Send scouts on their way, and answer them until the last has ended."""
        self._walking = len(scouts)
        walking = [gevent.spawn(self._lead, scout) for scout in scouts]
        try:
            while self._walking or self._asked:
                self._stopped.wait()
                self._stopped.clear()
                self._round()
        finally:
            gevent.killall(walking)

    def _lead(self, scout: Callable[[], object]) -> None:
        try:
            scout()
        except Exception:  # noqa: BLE001, S110 - the plan will meet it too, and tell
            pass
        finally:
            self._one_less()

    def _one_less(self) -> None:
        self._walking -= 1
        if not self._walking:
            self._stopped.set()

    def _round(self) -> None:
        asked, self._asked = list(self._asked.values()), {}
        if not asked:
            return
        self._walking = sum(many for _, _, many in asked)
        try:
            answers = self._together([question for question, _, _ in asked])
        except Exception as error:  # noqa: BLE001 - that of a connection
            for _, waiting, _ in asked:
                waiting.set_exception(error)
            return
        for (_, waiting, _), answer in zip(asked, answers, strict=True):
            waiting.set(answer)
