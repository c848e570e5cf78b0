"""Workers and connections are killed at every operation; a worker that lost its parent ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pulumi_pyinfra.failures import DeployFailedError
from pulumi_pyinfra.protocol import (
    CANCEL,
    Action,
    Done,
    Event,
    Finished,
    Host,
    Operation,
    Request,
    Status,
    event_from_json,
)
from pulumi_pyinfra.worker_process import Worker
from tests.pulumi_pyinfra.engine.project import PROGRAM
from tests.pulumi_pyinfra.engine.three_hosts import NAMES, STEPS, ThreeHosts, three_servers, until

from .asking import PROGRAM as ROOT
from .asking import over_ssh, wanted

TEN_STEPS = "deploys.ten_steps:ten_steps"
AT_ONCE = 5
"""Seconds within which a worker ends that has nothing to finish; most of it is Python's start."""
# As `python -m pulumi_pyinfra.worker`, but for half a second of patience with what hangs.
IMPATIENT = """
from gevent import monkey
monkey.patch_all()
from pulumi_pyinfra.worker import main
main.PATIENCE = 0.5
main.main()
"""
# As what another provider starts.
OF_ANOTHER_RUN = """
from gevent import monkey
monkey.patch_all()
from pulumi_pyinfra.worker import left_running, main
left_running._this_run = lambda: "another"
main.main()
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with three_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def hosts(tmp_path, servers):
    hosts = ThreeHosts(tmp_path / "hosts", servers)
    yield hosts
    hosts.let_go()


def ten_steps(hosts: ThreeHosts) -> Request:
    """The request to take the ten steps on every host at once."""
    each = [
        Host(name=n, ssh=over_ssh(server), arguments={"folder": str(hosts.folder / n)})
        for n, server in hosts.servers.items()
    ]
    return wanted("apply", TEN_STEPS, each, path=PROGRAM)


@contextmanager
def worker(request: Request, *how: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker, whose stdin stays open."""
    command = [sys.executable, *(how or ("-m", "pulumi_pyinfra.worker"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, bufsize=0) as process:
        process.stdin.write(f"{request.to_json()}\n".encode())
        try:
            yield process
        finally:
            process.kill()


def ends(process: subprocess.Popen[bytes]) -> None:
    """Hear nothing more of a worker, as a dead parent does, until it has ended by itself."""
    process.stdin.close()
    process.stdout.close()
    process.wait(AT_ONCE)


def events(process: subprocess.Popen[bytes]) -> list[Event]:
    """Hear all that a worker still says of its request."""
    told: list[Event] = []
    while not (told and isinstance(told[-1], Done)) and (line := process.stdout.readline()):
        told.append(event_from_json(line))
    return told


def started(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Return the host and the name of the next operation that starts."""
    for line in process.stdout:
        event = event_from_json(line)
        if isinstance(event, Operation) and event.status is Status.STARTED:
            return event.host, event.name
    raise AssertionError("the worker ended")


def kill_connections(hosts: ThreeHosts) -> None:
    for name in NAMES:
        for process in hosts.sessions(name):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["worker", "connections"])
def test_a_kill_at_any_operation_of_any_host_is_made_good_by_the_next_run(hosts, victim):
    for number in STEPS:
        for point in ("before", "within"):
            for name in NAMES:
                hosts.hold(name, f"{number} {point}")
            with worker(ten_steps(hosts)) as process:
                until(lambda: all(map(hosts.held, NAMES)), "not all are held")
                if victim == "worker":
                    process.kill()
                else:
                    kill_connections(hosts)
                    told = events(process)
                    failed = [e for e in told if isinstance(e, Finished) and e.failed]
                    assert {e.host for e in failed} == {*NAMES}
                process.stdin.close()
                process.wait()
            hosts.let_go()
            done = STEPS[: int(number) - (point == "before")]
            for name in NAMES:
                assert hosts.lines(name, "count") == done

    with worker(ten_steps(hosts)) as process:
        assert isinstance(events(process)[-1], Done)

    hosts.assert_done_once(tries=dict.fromkeys(NAMES, STEPS))


def test_a_worker_without_a_parent_ends_once_what_runs_has_ended(hosts):
    hosts.hold("a", "4 within")
    hosts.hold("b", "6 before")
    with worker(ten_steps(hosts)) as process:
        until(lambda: hosts.held("a") and hosts.held("b"), "not held")
        process.stdin.close()
        process.stdout.close()
        hosts.let_go()

        assert process.wait(AT_ONCE) == 0

    assert hosts.lines("a", "count") == STEPS[:4]
    assert hosts.lines("b", "count") == STEPS[:6]


def test_an_operation_that_hangs_keeps_a_worker_without_a_parent_for_a_stated_time(hosts):
    hosts.hold("a", "4 within")
    with worker(ten_steps(hosts), "-c", IMPATIENT) as process:
        until(lambda: hosts.held("a"), "not held")
        began = time.monotonic()

        ends(process)

        assert time.monotonic() - began >= 0.5
        assert hosts.held("a")


def test_an_operation_that_hangs_keeps_a_cancelled_worker_as_long_as_somebody_listens(hosts):
    hosts.hold("a", "4 within")
    with worker(ten_steps(hosts), "-c", IMPATIENT) as process:
        until(lambda: hosts.held("a"), "not held")
        process.stdin.write(f"{CANCEL}\n".encode())

        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield listening.getsockname()[1]


def knocking(hosts: ThreeHosts, port: int, count: int) -> Request:
    """A request for many hosts, one of which answers."""
    server = hosts.servers["a"]
    ssh = over_ssh(server, port=port, connect_timeout=300)
    each = [Host(name=f"silent-{n}", ssh=ssh) for n in range(count)]
    answering = Host(name="a", ssh=over_ssh(server))
    folder = {"folder": str(hosts.folder / "a")}
    return wanted("apply", TEN_STEPS, [answering, *each], path=PROGRAM, arguments=folder)


def test_a_worker_without_a_parent_gives_up_hosts_that_do_not_answer_yet(hosts, silent):
    with worker(knocking(hosts, silent, 100)) as process:
        assert b'"connected"' in process.stdout.readline()

        ends(process)

    assert hosts.lines("a", "tries") == []
    until(lambda: not hosts.sessions("a"), "a connection is still there")


def test_a_cancelled_worker_gives_them_up_too_and_says_that_nothing_was_started(hosts, silent):
    with worker(knocking(hosts, silent, 3)) as process:
        assert b'"connected"' in process.stdout.readline()
        process.stdin.write(f"{CANCEL}\n".encode())

        told = events(process)
        assert process.wait(AT_ONCE) == 0

    assert isinstance(told[-1], Done)
    finished = {e.host: e.skipped for e in told if isinstance(e, Finished)}
    assert finished == {"a": 1, "silent-0": 1, "silent-1": 1, "silent-2": 1}
    assert hosts.lines("a", "tries") == []


@pytest.mark.parametrize("victim", ["worker", "parent", "connections"])
def test_a_run_waits_for_what_an_earlier_one_left_running(hosts, victim):
    for name in NAMES:
        hosts.hold(name, "4 within")
    with worker(ten_steps(hosts)) as first:
        until(lambda: all(map(hosts.held, NAMES)), "not all are held")
        if victim == "worker":
            first.kill()
        elif victim == "parent":
            first.stdin.close()
        else:
            kill_connections(hosts)
        with worker(ten_steps(hosts), "-c", OF_ANOTHER_RUN) as second:
            waiting = {started(second) for _ in NAMES}
            assert waiting == {(n, "Wait for what an earlier run left running") for n in NAMES}
            hosts.let_go()
            assert isinstance(events(second)[-1], Done)

    hosts.assert_done_once()


def test_what_a_finished_run_has_started_is_not_waited_for(hosts):
    host = Host(name="a", ssh=over_ssh(hosts.servers["a"]))
    folder = {"folder": str(hosts.folder / "a")}
    service = TEN_STEPS.replace(":ten_steps", ":service")
    request = wanted("apply", service, [host], path=PROGRAM, arguments=folder)
    try:
        for how in ((), ("-c", OF_ANOTHER_RUN)):
            with worker(request, *how) as process:
                assert started(process) == ("a", "Start a service")
                assert isinstance(events(process)[-1], Done)
    finally:
        for number in hosts.lines("a", "pid"):
            os.kill(int(number), signal.SIGKILL)


def test_what_was_cancelled_half_way_is_no_plan(hosts, silent):
    request = replace(knocking(hosts, silent, 1), action=Action.PLAN)

    async def cancel_at_once() -> None:
        worker = Worker()
        async for _ in worker.events(request):
            await worker.cancel()

    with pytest.raises(DeployFailedError, match=r"^cancelled$"):
        asyncio.run(asyncio.wait_for(cancel_at_once(), 30))
