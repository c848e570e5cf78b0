"""A deploy is run: on every host at once, each at its own pace, stopped by its own failure."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gevent.lock import BoundedSemaphore
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import StateOperationHostData

from ..protocol import Finished, Operation, Status
from .hosts import WatchedHost
from .left_running import MarkedHost, wait_for_earlier_run
from .session import H, Session


def apply(session: Session[MarkedHost]) -> None:
    """Run the deploy; nothing is run anywhere unless it can be read for every host."""
    if not session.sound:
        return
    session.connect()
    wait_for_earlier_run(session)
    faults = session.read_deploy(session.hosts)
    for host, error in faults.items():
        session.channel.send(session.broken(host, error))
    if faults:
        return
    session.channel.changing = True
    session.executing()
    turns = Turns()
    session.each(lambda host: _apply_host(session, host, turns), session.hosts)


class Turns:
    """Lets an operation run on some hosts at a time, if it asks (``_serial``, ``_parallel``)."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, int], BoundedSemaphore] = {}

    @contextmanager
    def turn(self, session: Session[MarkedHost], op_hash: str, name: str) -> Iterator[None]:
        """Wait for this host's turn."""
        asked = session.state.op_meta[op_hash].global_arguments
        most = 1 if asked["_serial"] else asked["_parallel"] or len(session.hosts)
        lock = self._locks.setdefault((name, most), BoundedSemaphore(most))
        with lock:
            yield


def _apply_host(session: Session[MarkedHost], host: MarkedHost, turns: Turns) -> None:
    start = time.monotonic()
    told: Counter[Status] = Counter()
    for op_hash, name, operation in session.state.operations(host):
        said = Operation(host=host.name, name=name, status=Status.SKIPPED)
        if not told[Status.FAILED]:
            with turns.turn(session, op_hash, name):
                if not session.cancelled:
                    session.channel.send(
                        Operation(host=host.name, name=name, status=Status.STARTED)
                    )
                    said = run(session, host, op_hash, name, operation)
        told[said.status] += 1
        session.channel.send(said)
    session.channel.send(
        Finished(
            host=host.name,
            changed=told[Status.CHANGED],
            unchanged=told[Status.UNCHANGED],
            skipped=told[Status.SKIPPED],
            failed=bool(told[Status.FAILED]),
            seconds=round(time.monotonic() - start, 3),
        )
    )


def run(
    session: Session[H],
    host: H,
    op_hash: str,
    name: str,
    operation: StateOperationHostData,
) -> Operation:
    """Run one operation on one host."""
    host.forget()
    why = ""
    try:
        ok = run_host_op(session.state, host, op_hash)
    except Exception as error:  # noqa: BLE001 - an operation may raise anything
        ok, why = False, f"{type(error).__name__}: {error}"
    if not ok:
        return failure(host, name, why)
    changed = operation.operation_meta.did_change()
    return Operation(
        host=host.name, name=name, status=Status.CHANGED if changed else Status.UNCHANGED
    )


def failure(host: WatchedHost, name: str, why: str) -> Operation:
    """Return the event of an operation that failed, with what failed in it."""
    ran = host.ran if host.ran and not host.ran.ok else None
    return Operation(
        host=host.name,
        name=name,
        status=Status.FAILED,
        command=ran.command if ran else None,
        exit=ran.exit if ran else None,
        output=host.last_lines() or why,
    )
