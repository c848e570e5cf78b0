"""Commands sent together are answered as one by one, in the order in which they were asked for."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from pyinfra.api.command import StringCommand
from pyinfra.api.host import Host

from pulumi_pyinfra.connector import ConnectionLostError
from tests.pulumi_pyinfra.sshd import running

from .by_chance import commands
from .hosts import QUICK, Codes, connected, host, run, target, together, until

OF_ALL_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("echo out; echo err >&2; exit 3", {}),
    ("printf 'no newline'; printf err >&2", {"_env": {"A": "it's"}}),
    ("true", {}),
    ("test -t 0 && echo a terminal; exit 2", {"_get_pty": True}),
    ("id -un; cat", {"_sudo": True, "_stdin": ["one", "two"]}),
    ("cksum", {"_stdin": "x" * 100_000}),
    ("echo 'never closed", {}),
    ("exec false", {"_success_exit_codes": [1]}),
    ("id -un", {"_su_user": "nobody", "_su_shell": "/bin/sh"}),
    ("id -un", {"_sudo": True, "_sudo_user": "nobody"}),
    ("echo patient", {"_timeout": 60}),
    ("sleep 0 & echo behind", {}),
    (r"printf 'a\377\000b\rc\nd'", {"_chdir": "/usr"}),
    ("exec 0<&- 1>&- 2>&-; exit 4", {}),
    ("kill -9 $PPID", {}),
    ("echo gone; exit 9", {"_success_exit_codes": [0, -1]}),
    ("cat", {"_stdin": "\0\x01%s'\\"}),
    ("pwd; echo ${BASH_VERSION:+bash}", {"_chdir": "/usr", "_shell_executable": "bash"}),
    ("echo $((6 * 7)) # no shell", {"_shell_executable": None}),
    ("echo by ${SUDO_USER-nobody}", {"_sudo": True}),
    ("echo by ${SUDO_USER-nobody}", {}),
)


@pytest.fixture
def alone(server) -> Iterator[Host]:
    """A host with a connection of its own."""
    with connected(host(target(server))) as one:
        yield one


def test_commands_of_all_kinds_are_answered_as_one_by_one(anywhere):
    one_by_one = [run(anywhere, command, **more) for command, more in OF_ALL_KINDS]

    assert together(anywhere, OF_ALL_KINDS) == one_by_one


def test_random_commands_are_answered_as_one_by_one(anywhere):
    seed = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
    one_by_one = [run(anywhere, command, **more) for command, more in commands(seed)]

    answers = together(anywhere, commands(seed))

    for (command, more), mine, wanted in zip(commands(seed), answers, one_by_one, strict=True):
        assert mine == wanted, f"SEED={seed}: {command!r} {more}"


def test_success_is_what_is_asked_for(anywhere):
    codes = ([0], [3], [0, 3], None)
    asked = [(StringCommand("exit 3"), {"_success_exit_codes": each}) for each in codes]

    answers = anywhere.connector.run_together(asked)

    assert [success for success, _ in answers] == [False, True, True, False]


def test_nothing_is_answered_by_nothing(anywhere):
    assert together(anywhere, []) == []


def test_those_of_one_user_share_the_shell_that_is_kept(anywhere, shell):
    users = ({}, {"_sudo": True})
    kept = [run(anywhere, "echo $PPID", **user)[1] for user in users]
    before = shell.log.count("Starting session")

    said = together(anywhere, [("echo $PPID", user) for user in users * 5])

    assert [lines for _, lines, _ in said] == kept * 5
    assert shell.log.count("Starting session") == before


def test_much_input_and_much_output_at_once_do_not_block(anywhere):
    size = 60_000
    write = "cksum; head -c 1000000 /dev/zero | tr '\\0' x; tr '\\0' x </dev/zero | head -c 500000"
    asked = [(f"{write} >&2", {"_stdin": "\x01" * (size + n)}) for n in range(12)]

    said = together(anywhere, asked)

    assert [(code, out[0].split()[1]) for code, out, _ in said] == [
        (0, str(size + n + 1)) for n in range(12)
    ]
    assert {(len(out[1]), len(err[0])) for _, out, err in said} == {(1_000_000, 500_000)}


def test_only_the_command_that_ends_the_shell_runs_twice(anywhere, tmp_path):
    ends = {3, 4, 7}
    asked = [
        (f"echo {n} | tee -a {tmp_path}/{n}{'; kill -9 $PPID' * (n in ends)}", {}) for n in range(9)
    ]

    said = together(anywhere, asked)

    assert said == [(-1 if n in ends else 0, [str(n)], []) for n in range(9)]
    ran = [(tmp_path / str(n)).read_text().count("\n") for n in range(9)]
    assert ran == [2 if n in ends else 1 for n in range(9)]


@pytest.mark.parametrize("number", [0, 5, 9])
def test_a_connection_lost_in_the_middle_is_an_error_and_no_answer(alone, tmp_path, number):
    pid, begun = int(run(alone, "ps -o ppid= -p $PPID")[1][0]), tmp_path / "begun"

    def lose_it() -> None:
        until(begun.exists)
        os.kill(pid, signal.SIGKILL)

    losing = threading.Thread(target=lose_it)
    losing.start()
    asked = [(f"touch {begun}; sleep 30" if n == number else "true", {}) for n in range(10)]

    for _ in range(2):
        with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1:\d+ is lost"):
            together(alone, asked)
    losing.join()


def test_a_command_that_may_break_the_connection_does_so_after_the_others(alone):
    pid = int(run(alone, "ps -o ppid= -p $PPID")[1][0])
    asked = [
        ("echo before", {}),
        (f"kill -9 {pid}; sleep 30", {"_success_exit_codes": Codes([0, -1])}),
    ]

    assert together(alone, asked) == [(0, ["before"], []), (-1, [], [])]


def test_one_that_takes_too_long_is_an_error_and_the_next_ones_are_answered(anywhere):
    with pytest.raises(TimeoutError):
        together(anywhere, [("echo a", {}), ("sleep 60", {"_timeout": 0.2}), ("echo b", {})])

    assert together(anywhere, [("echo next", {})] * 3) == [(0, ["next"], [])] * 3


def test_what_a_process_left_behind_writes_later_is_in_no_answer(anywhere, tmp_path):
    script = tmp_path / "daemon"
    script.write_text("#!/bin/sh\n(while [ ! -e $0.go ]; do sleep 0.01; done; echo late) &\n")
    script.chmod(0o755)
    assert together(anywhere, [(str(script), {}), ("echo a", {})])[1] == (0, ["a"], [])
    kept = anywhere.connector._session.commands._shells._kept["exec sh"]

    (tmp_path / "daemon.go").touch()
    until(lambda: not kept.usable)

    assert together(anywhere, [("echo b", {})] * 2) == [(0, ["b"], [])] * 2


def test_what_a_command_leaves_in_the_background_writes_into_no_other_answer(anywhere):
    asked = [("(sleep 0.2; echo late) & echo a", {}), ("sleep 0.6; echo b", {}), ("echo c", {})]

    said = together(anywhere, asked)

    assert [out[:1] for _, out, _ in said] == [["a"], ["b"], ["c"]]
    assert said[1:] == [(0, ["b"], []), (0, ["c"], [])]


def test_commands_together_at_the_same_time_do_not_disturb_each_other(anywhere):
    answers = {}

    def ask(mine: int) -> None:
        asked = [(f"echo {mine} {n}", {"_sudo": n % 2 == 0}) for n in range(10)]
        answers[mine] = together(anywhere, asked)

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {m: [(0, [f"{m} {n}"], []) for n in range(10)] for m in range(4)}


@pytest.mark.parametrize(
    "setting", ["MaxSessions 1", 'ForceCommand eval "$SSH_ORIGINAL_COMMAND"', "PermitTTY no"]
)
def test_a_host_that_allows_little_answers_all_the_same(tmp_path, setting):
    asked = [(f"echo {n}; cat", {"_sudo": n % 2 == 0, "_stdin": StringIO("x")}) for n in range(6)]
    with running(tmp_path, *QUICK, setting) as strict, connected(host(target(strict))) as one:
        said = together(one, asked)

    assert said == [(0, [str(n), "x"], []) for n in range(6)]


def test_a_host_with_a_forced_command_answers_with_it_every_time(tmp_path):
    with (
        running(tmp_path, *QUICK, "ForceCommand echo forced") as strict,
        connected(host(target(strict))) as one,
    ):
        assert together(one, [("echo mine", {})] * 3) == [(0, ["forced"], [])] * 3


def test_a_host_that_is_not_connected_says_so(server):
    with pytest.raises(ConnectionLostError, match="is not connected"):
        together(host(target(server)), [("true", {})])
