"""What is lost is said at once, and what a host does not allow is done in another way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from io import BytesIO

import pytest

from pulumi_pyinfra.connector import ConnectionLostError, UnreachableError
from pulumi_pyinfra.connector import link as link_module
from pulumi_pyinfra.connector import shell as shell_module
from pulumi_pyinfra.connector import wire as wire_module
from tests.pulumi_pyinfra.sshd import running

from .hosts import QUICK, connected, host, run, target, until


@pytest.fixture
def alone(server) -> Iterator:
    """A host with a connection of its own."""
    with connected(host(target(server))) as one:
        yield one


@pytest.fixture
def impatient(monkeypatch):
    """Silence is looked into after a fifth of a second; a busy host has longer to answer."""
    monkeypatch.setattr(wire_module, "KEEPALIVE", 0.2)
    monkeypatch.setattr(link_module, "KEEPALIVE", 3)


def server_process(one) -> int:
    """The server's process that holds the connection."""
    return int(run(one, "ps -o ppid= -p $PPID")[1][0])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_connection_that_breaks_is_an_error_at_once(alone, tmp_path):
    pid, begun = server_process(alone), tmp_path / "begun"

    def break_it() -> None:
        until(begun.exists)
        kill(pid)

    breaking = threading.Thread(target=break_it)
    breaking.start()
    began = time.monotonic()

    with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1:\d+ is lost"):
        run(alone, f"touch {begun}; sleep 30")

    breaking.join()
    assert time.monotonic() - began < 10


def test_nothing_hangs_on_a_connection_that_is_gone(alone):
    kill(server_process(alone))

    for _ in range(2):
        with pytest.raises(ConnectionLostError):
            run(alone, "echo")
        with pytest.raises(ConnectionLostError):
            alone.put_file(BytesIO(b"x"), "/nowhere")
        with pytest.raises(ConnectionLostError):
            alone.put_file(BytesIO(b"x" * 1_000_000), "/nowhere")
        with pytest.raises(ConnectionLostError):
            run(alone, "echo", _get_pty=True)


def test_a_command_that_is_meant_to_break_the_connection_succeeds(alone):
    pid = server_process(alone)

    assert alone.run_shell_command(f"kill -9 {pid}; sleep 30", _success_exit_codes=[0, -1])[0]


def test_a_command_that_is_meant_to_be_ended_by_a_signal_succeeds(there):
    for command, success in (("kill $$", True), ("exit 9", False)):
        assert there.run_shell_command(command, _success_exit_codes=[0, -1])[0] is success


def test_after_a_loss_the_host_can_be_connected_again(alone):
    kill(server_process(alone))
    with pytest.raises(ConnectionLostError):
        run(alone, "echo")

    alone.disconnect()
    alone.connect(raise_exceptions=True)

    assert run(alone, "echo back")[1] == ["back"]


@pytest.mark.usefixtures("impatient")
def test_a_host_that_falls_silent_is_not_waited_for(alone):
    pid = server_process(alone)
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionLostError):
            run(alone, "echo")
        assert time.monotonic() - began < 12
    finally:
        kill(pid)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("more", [{}, {"_get_pty": True}], ids=["kept", "own channel"])
def test_a_command_may_be_silent_for_long_on_a_host_that_lives(alone, more):
    assert run(alone, "sleep 1; echo done", **more)[1][0].strip() == "done"


def test_a_host_may_allow_one_channel_at_a_time(tmp_path):
    with (
        running(tmp_path, *QUICK, "MaxSessions 1") as narrow,
        connected(host(target(narrow))) as one,
    ):
        one.put_file(BytesIO(b"x" * 1_000_000), f"{tmp_path}/file")
        assert (tmp_path / "file").stat().st_size == 1_000_000
        assert run(one, "tty", _get_pty=True)[0] == 0
        assert run(one, "echo after") == (0, ["after"], [])


@pytest.mark.parametrize(
    ("forced", "said"),
    [
        ("echo forced", ["forced"]),
        ("sleep 0.3; echo forced", ["forced"]),
        ('eval "$SSH_ORIGINAL_COMMAND"', ["mine"]),
        ('echo hello; echo hi >&2; eval "$SSH_ORIGINAL_COMMAND"', ["mine"]),
    ],
)
def test_a_forced_command_is_noticed_and_runs_as_it_would(tmp_path, forced, said):
    with (
        running(tmp_path, *QUICK, f"ForceCommand {forced}") as strict,
        connected(host(target(strict))) as one,
    ):
        assert [run(one, "echo mine")[:2] for _ in range(3)] == [(0, said)] * 3


@pytest.mark.parametrize("setting", ["MaxSessions 0", "ForceCommand cat"])
def test_a_host_without_a_shell_that_answers_is_unreachable(tmp_path, monkeypatch, setting):
    monkeypatch.setattr(shell_module, "PATIENCE", 0.5)
    with (
        running(tmp_path, *QUICK, setting) as closed,
        pytest.raises(UnreachableError, match="no shell"),
    ):
        host(target(closed)).connect(raise_exceptions=True, show_errors=False)
