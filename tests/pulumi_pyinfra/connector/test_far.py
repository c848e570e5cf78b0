"""A distant host costs few round trips: to connect, and for all commands sent together."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pyinfra.api.host import Host

from tests.pulumi_pyinfra.delay import delayed
from tests.pulumi_pyinfra.sshd import Sshd

from .hosts import connected, host, run, target, together

# So long that what a busy machine needs for itself is little of it.
ROUND_TRIP = 0.4


@pytest.fixture(scope="module")
def far(server: Sshd) -> Iterator[Host]:
    """A connected host at a distance."""
    with (
        delayed(server.port, ROUND_TRIP / 2) as port,
        connected(host(target(server, port=port, connect_timeout=30))) as one,
    ):
        yield one


def it_takes(fewest: int, work: Callable[[], object]) -> bool:
    """Whether ``work`` takes so many round trips: a busy machine adds to some, not to each."""
    for _ in range(3):
        began = time.monotonic()
        work()
        took = (time.monotonic() - began) / ROUND_TRIP
        assert took > fewest - 0.1
        if took < fewest + 0.9:
            return True
    return False


def test_the_way_adds_time_and_takes_no_speed():
    size, seconds = 20_000_000, 0.2
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as end:
                asked = end.recv(100)
                end.sendall(asked * (size // len(asked)))

        thread = threading.Thread(target=serve)
        thread.start()
        began = time.monotonic()
        with (
            delayed(server.getsockname()[1], seconds) as port,
            socket.create_connection(("127.0.0.1", port)) as end,
        ):
            end.sendall(b"0123456789")
            said = end.recv(1)
            first = time.monotonic() - began
            while chunk := end.recv(1 << 20):
                said += chunk
            last = time.monotonic() - began
        thread.join()

    assert said == b"0123456789" * (size // 10)
    assert first >= 2 * seconds
    assert last < 10  # a delay for each chunk of 64 KB would make it a minute


def test_connecting_takes_five_round_trips(server):
    with delayed(server.port, ROUND_TRIP / 2) as port:
        where = target(server, port=port, connect_timeout=30)
        made = []

        def connect() -> None:
            made.append(host(where))
            made[-1].connect(raise_exceptions=True)

        # Both sides' versions and keys (2), who we are, a channel, a shell that greets.
        assert it_takes(5, connect)
        assert it_takes(1, lambda: run(made[-1], "echo"))
        for one in made:
            one.disconnect()


def test_thirty_commands_together_take_one_round_trip(far):
    asked = [(f"echo {n}", {}) for n in range(30)]
    answers = [(0, [str(n)], []) for n in range(30)]
    said = []

    assert it_takes(1, lambda: said.extend(together(far, asked)))
    assert said[:30] == answers


def test_root_and_the_user_are_asked_at_the_same_time(far):
    asked = [(f"echo {n}", {"_sudo": n % 2 == 0}) for n in range(6)]
    run(far, "true", _sudo=True)

    assert it_takes(1, lambda: together(far, asked))
