"""A function is asked on every host at once; it reads facts and answers yes or no."""

from __future__ import annotations

from ..protocol import Answered
from .planning import ReadOnlyHost
from .session import Session


def ask(session: Session[ReadOnlyHost]) -> None:
    """Report each host's answer, or what was raised in its place."""
    session.connect()
    answers, faults = session.call(session.hosts)
    for host, error in faults.items():
        session.channel.send(session.broken(host, error))
    for host, answer in answers.items():
        session.channel.send(Answered(host=host.name, yes=bool(answer)))
