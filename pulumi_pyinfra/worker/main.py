"""Does what a request asks, and says what comes of it."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import closing
from typing import Any, NoReturn

import gevent
import pyinfra
from gevent import Greenlet
from gevent.event import Event as Flag

from .. import contract
from ..connector import Connections
from ..protocol import Action, Broken, Done, Finished, ProtocolError, Request
from .applying import apply
from .asking import ask
from .channel import Channel
from .hosts import WatchedHost
from .left_running import MarkedHost
from .loading import DeployError, load
from .planning import ReadOnlyHost, plan
from .probing import probe
from .session import Session

PATIENCE = 30 * 60
"""Seconds that operations may go on once nobody is left to hear of them.

A cancelled worker waits for what runs as long as it takes: whoever cancelled sees it, and may give
up by ending the provider. After that nobody would ever end a worker whose operation hangs. An
operation with a ``_timeout`` ends by that. What is given up here goes on on its host, unless it
writes to the connection that is gone.
"""


def main() -> int:
    """Serve one request after the other; answers with the exit code."""
    channel = Channel()
    channel.listen()
    connections = Connections(keep=True)
    while not channel.cancelled.is_set():
        try:
            request = channel.receive()
        except ProtocolError as error:
            channel.send(Broken(reason=f"the request can't be read: {error}"))
            channel.send(Done())
            return 1
        if request is None:
            break
        _log(request)
        _await(request, channel, gevent.spawn(_serve, request, channel, connections))
    connections.close()
    return 0


def _await(request: Request, channel: Channel, work: Greenlet[..., Exception | None]) -> None:
    """Wait for what is done, or for as long as there is something to wait for."""
    _first(work, channel.cancelled)
    if channel.changing:
        _first(work, channel.abandoned)
        work.join(PATIENCE)
    if not work.ready():
        _leave(request, channel)
    if fault := work.get():
        raise fault
    channel.send(Done())


def _first(*events: Greenlet[..., Any] | Flag) -> None:
    gevent.wait(events, count=1)


def _serve(request: Request, channel: Channel, connections: Connections) -> Exception | None:
    """Do what is asked; answers with what nobody expected, which gevent would print as well."""
    try:
        _do(request, channel, connections)
    except (DeployError, contract.ContractError) as error:
        channel.send(Broken(reason=str(error)))
    except Exception as error:  # noqa: BLE001 - it is raised by whoever waits
        return error
    return None


def _leave(request: Request, channel: Channel) -> NoReturn:
    """End in the middle of looking, connecting or waiting: none of them is worth another second."""
    for host in request.hosts:
        if host.name not in channel.ended:
            channel.send(Finished(host=host.name, skipped=1))
    channel.send(Done())
    sys.stderr.flush()
    # An ordinary end would wait for connections that are being made, and for names to be resolved.
    os._exit(0)


def _do(request: Request, channel: Channel, connections: Connections) -> None:
    if request.action is Action.CHECK:
        kind = contract.contract_of(load(request))
        for fault in contract.check(kind, request.arguments, request.hosts):
            channel.send(fault)
        return
    if request.action in (Action.PLAN, Action.ASK):
        with closing(Session(request, channel, connections, ReadOnlyHost)) as reading:
            {Action.PLAN: plan, Action.ASK: ask}[request.action](reading)
        return
    if request.action is Action.APPLY:
        with closing(Session(request, channel, connections, MarkedHost)) as changing:
            apply(changing)
        return
    with closing(Session(request, channel, connections, WatchedHost)) as probing:
        probe(probing)


def _log(request: Request) -> None:
    pyinfra.logger.propagate = False
    if pyinfra.logger.handlers:
        return  # an earlier request has seen to it
    if request.debug:
        pyinfra.logger.addHandler(logging.StreamHandler(sys.stderr))
        pyinfra.logger.setLevel(logging.DEBUG)
    else:
        # Without a handler Python prints warnings itself.
        pyinfra.logger.addHandler(logging.NullHandler())
