"""A deploy of checks is tried on every host until it succeeds there, or time is up."""

from __future__ import annotations

import time

import gevent

from ..protocol import Finished, Operation, Status
from .applying import failure, run
from .hosts import WatchedHost
from .session import Session


def probe(session: Session[WatchedHost]) -> None:
    """Try until all hosts succeeded; what failed last is told once time is up."""
    start = time.monotonic()
    session.connect()
    left = list(session.hosts)
    while left and session.sound:
        failures = _attempt(session, left, start + session.request.deadline)
        for host in [host for host in left if host not in failures]:
            left.remove(host)
            _finish(session, host, start, failed=False)
        out_of_time = time.monotonic() + session.request.interval > start + session.request.deadline
        if left and (out_of_time or session.channel.cancelled.wait(session.request.interval)):
            for host in left:
                session.channel.send(failures[host])
                _finish(session, host, start, failed=True)
            return


def _attempt(
    session: Session[WatchedHost], hosts: list[WatchedHost], deadline: float
) -> dict[WatchedHost, Operation]:
    """Run the checks once on each host; answers with the first that failed, by host."""
    session.state.reread(hosts)
    failures = {
        host: Operation(host=host.name, name="the probe", status=Status.FAILED, output=str(error))
        for host, error in session.read_deploy(hosts).items()
    }
    session.executing()

    def attempt(host: WatchedHost) -> None:
        for op_hash, name, operation in session.state.operations(host):
            said = None
            # False: the end of the time is no error, `said` stays None.
            with gevent.Timeout(max(deadline - time.monotonic(), 0.1), False):  # type: ignore[arg-type]  # its stubs miss it
                said = run(session, host, op_hash, name, operation)
            if said is None:
                said = failure(host, name, "not finished when the time was up")
            if said.status is Status.FAILED:
                failures[host] = said
                return

    session.each(attempt, [host for host in hosts if host not in failures])
    return failures


def _finish(
    session: Session[WatchedHost], host: WatchedHost, start: float, *, failed: bool
) -> None:
    seconds = round(time.monotonic() - start, 3)
    session.channel.send(Finished(host=host.name, failed=failed, seconds=seconds))
