"""Several commands sent at once: over a slow link the way there and back is paid once for all."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .frame import Frame
from .output import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyinfra.connectors.util import CommandOutput

    from .shell import Shell
    from .shells import Shells


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One of the commands."""

    number: int
    """Which one: answers are given under it."""
    shell: str
    framed: str
    stdin: bytes


def run_together(shells: Shells, parts: Sequence[Part]) -> dict[int, tuple[int, CommandOutput]]:
    """Return exit code and output of each command, but of those that no shell answers for.

    A shell runs its commands one after the other, so what comes after the one that it ended with
    was not begun and is sent to another shell. That one itself gets no answer: it may have ended
    the shell or not, and only alone can it say which.
    """
    answers: dict[int, tuple[int, CommandOutput]] = {}
    while parts:
        with ExitStack() as claimed:
            sent: list[tuple[Shell, list[tuple[Part, Frame]]]] = []
            for program in dict.fromkeys(part.shell for part in parts):
                if shell := shells.claim(program):
                    claimed.callback(shell.busy.release)
                    mine = [(p, Frame(p.framed, p.stdin)) for p in parts if p.shell == program]
                    shell.send([frame for _, frame in mine])
                    sent.append((shell, mine))
            parts = [part for shell, mine in sent for part in _read(shell, mine, answers)]
    return answers


def _read(
    shell: Shell,
    sent: Sequence[tuple[Part, Frame]],
    answers: dict[int, tuple[int, CommandOutput]],
) -> list[Part]:
    """Take the answers of one shell, and return the commands that it had not begun at its end."""
    for position, (part, frame) in enumerate(sent, 1):
        lines = Lines()
        code = shell.answer(frame, lines.take)
        if code is None:
            return [later for later, _ in sent[position:]]
        answers[part.number] = code, lines.output()
    return []
