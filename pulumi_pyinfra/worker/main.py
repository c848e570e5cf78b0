"""Does what a request asks, and says what comes of it."""

from __future__ import annotations

import logging
import sys
from contextlib import closing

import pyinfra

from .. import contract
from ..protocol import Action, Broken, Done, ProtocolError, Request
from .applying import apply
from .asking import ask
from .channel import Channel
from .hosts import WatchedHost
from .loading import DeployError, load
from .planning import ReadOnlyHost, plan
from .probing import probe
from .session import Session


def main() -> int:
    """Serve one request; answers with the exit code."""
    channel = Channel()
    try:
        request = channel.receive()
    except ProtocolError as error:
        channel.send(Broken(reason=f"the request can't be read: {error}"))
        channel.send(Done())
        return 1
    channel.listen()
    _log(request)
    try:
        _do(request, channel)
    except (DeployError, contract.ContractError) as error:
        channel.send(Broken(reason=str(error)))
    channel.send(Done())
    return 0


def _do(request: Request, channel: Channel) -> None:
    if request.action is Action.CHECK:
        kind = contract.contract_of(load(request))
        for fault in contract.check(kind, request.arguments, request.hosts):
            channel.send(fault)
        return
    if request.action in (Action.PLAN, Action.ASK):
        with closing(Session(request, channel, ReadOnlyHost)) as reading:
            {Action.PLAN: plan, Action.ASK: ask}[request.action](reading)
        return
    with closing(Session(request, channel, WatchedHost)) as session:
        {Action.APPLY: apply, Action.PROBE: probe}[request.action](session)


def _log(request: Request) -> None:
    if request.debug:
        handler = logging.StreamHandler(sys.stderr)
        pyinfra.logger.addHandler(handler)
        pyinfra.logger.setLevel(logging.DEBUG)
    else:
        # Without a handler Python prints warnings itself.
        pyinfra.logger.addHandler(logging.NullHandler())
    pyinfra.logger.propagate = False
