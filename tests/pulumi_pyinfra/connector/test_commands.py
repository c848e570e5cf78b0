"""A command answers as it would on a channel of its own, and the next one is not disturbed."""

from __future__ import annotations

import os
import pwd
import threading
import time
from pathlib import Path

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import QUICK, connected, host, run, target, until


def test_exit_code_and_both_streams_are_told_apart(anywhere):
    assert run(anywhere, "echo out; echo err >&2; exit 3") == (3, ["out"], ["err"])


def test_one_channel_serves_command_after_command(anywhere, shell):
    before = shell.log.count("Starting session")

    said = [run(anywhere, f"echo {n}")[1] for n in range(50)]

    assert said == [[str(n)] for n in range(50)]
    assert shell.log.count("Starting session") == before


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 3", 3),
        ("exec false", 1),
        ("kill -9 $$", 137),
        ("kill -9 $PPID", -1),  # the shell that is kept
        ("echo $((", 2),
        ("exec 0<&- 1>&- 2>&-; exit 4", 4),
        ("trap '' TERM; kill $$; exit 5", 5),
    ],
)
def test_what_ends_the_shell_is_answered_and_the_next_command_runs(anywhere, command, code):
    assert run(anywhere, command)[0] == code
    assert run(anywhere, "echo next") == (0, ["next"], [])


def test_what_a_shell_wrote_before_it_was_killed_is_not_lost(anywhere):
    assert run(anywhere, "printf out; printf err >&2; kill -9 $PPID") == (-1, ["out"], ["err"])


def test_a_command_that_reads_its_input_finds_an_end_and_not_the_next_command(anywhere):
    assert run(anywhere, "cat; read line || echo end") == (0, ["end"], [])
    assert run(anywhere, "echo next") == (0, ["next"], [])


@pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
def test_standard_input_arrives_whole(anywhere, size):
    assert run(anywhere, "cksum | cut -d' ' -f2", _stdin="x" * size) == (0, [str(size + 1)], [])


def test_standard_input_keeps_every_sign(anywhere):
    lines = ["%s %% \\n \\", "'\"`$(id)$HOME", "-n", "--", "tab\t\x01\x7f", "é漢😀", ""]

    assert run(anywhere, "cat", _stdin=lines) == (0, lines, [])


def test_output_may_be_any_bytes(anywhere):
    _, lines, _ = run(anywhere, r"printf 'a\377\000b\rc\nd'")

    assert lines == ["a\\xff\x00b\rc", "d"]


def test_fifty_megabytes_on_both_streams_do_not_block(anywhere):
    write = "head -c 5000000 /dev/zero | tr '\\0' x | fold -w 9999"

    code, out, err = run(anywhere, f"for n in 1 2 3 4 5; do {write}; {write} >&2; done")

    assert code == 0
    assert sum(map(len, out)) == sum(map(len, err)) == 25_000_000


def test_a_process_left_behind_neither_holds_the_command_nor_writes_into_the_next(
    anywhere, tmp_path
):
    go = tmp_path / "go"
    code = f"nohup sh -c 'while [ ! -e {go} ]; do sleep 0.01; done; echo late; touch {go}.done'"

    started = run(anywhere, f"{code} & echo started", _timeout=30)
    go.touch()
    next_one = run(
        anywhere, f"while [ ! -e {go}.done ]; do sleep 0.01; done; echo next", _timeout=30
    )

    assert started[:2] == (0, ["started"])
    assert next_one == (0, ["next"], [])


def test_a_late_writer_that_nobody_saw_coming_costs_the_shell_and_not_the_next_answer(
    anywhere, tmp_path
):
    script = tmp_path / "daemon"
    script.write_text("#!/bin/sh\n(while [ ! -e $0.go ]; do sleep 0.01; done; echo late) &\n")
    script.chmod(0o755)
    run(anywhere, str(script))
    kept = anywhere.connector._session.commands._shells._kept["exec sh"]
    assert kept.usable

    Path(f"{script}.go").touch()
    until(lambda: not kept.usable)

    assert run(anywhere, "echo next") == (0, ["next"], [])


def test_variables_folder_and_shell_are_heeded(anywhere):
    assert run(
        anywhere,
        "pwd; echo $GREETING; echo ${BASH_VERSION:+bash}",
        _chdir="/usr",
        _env={"GREETING": 'it\'s\n"me"'},
        _shell_executable="bash",
    ) == (0, ["/usr", 'it\'s "me"', "bash"], [])


def test_without_a_shell_to_run_it_the_users_own_does(anywhere):
    shell = Path(pwd.getpwuid(os.getuid()).pw_shell).name

    assert run(anywhere, "echo $0; exit 3", _shell_executable=None) == (3, [shell], [])


def test_neither_a_variable_nor_a_password_is_in_the_list_of_processes(anywhere):
    for more in ({}, {"_sudo": True}, {"_sudo": True, "_sudo_password": "canary-password"}):
        secret = {"SECRET": "canary-variable"} if "_sudo_password" not in more else {}
        _, lines, _ = run(anywhere, 'ps -eo args; test -z "$SECRET"', _env=secret, **more)

        assert len(lines) > 5
        assert not [line for line in lines if "canary" in line]


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        ({}, "root by nobody"),
        ({"_sudo": True}, "root by root"),
        ({"_sudo": True, "_sudo_user": "nobody"}, "nobody by root"),
        ({"_su_user": "nobody", "_su_shell": "/bin/sh"}, "nobody by nobody"),
        ({"_sudo": True, "_su_user": "nobody", "_su_shell": "/bin/sh"}, "nobody by root"),
    ],
)
def test_a_command_runs_as_who_is_asked_for(anywhere, arguments, user):
    command = "echo $(id -un) by ${SUDO_USER-nobody}; cat; exit 3"

    assert run(anywhere, command, _stdin="fed", **arguments) == (3, [user, "fed"], [])


def test_sudo_of_an_unknown_user_says_so_in_sudos_words(anywhere):
    code, _, err = run(anywhere, "true", _sudo=True, _sudo_user="no-such-user")

    assert code == 1
    assert err[0].startswith("sudo: unknown user")


def test_root_by_sudo_keeps_a_shell_too(anywhere, shell):
    run(anywhere, "true", _sudo=True)
    before = shell.log.count("Starting session")

    assert run(anywhere, "echo a", _sudo=True) == (0, ["a"], [])
    assert shell.log.count("Starting session") == before


def test_a_terminal_is_there_when_it_is_wanted(anywhere):
    code, lines, _ = run(anywhere, "tty", _get_pty=True)

    assert (code, lines[0][:9]) == (0, "/dev/pts/")


def test_a_command_that_takes_too_long_is_given_up_and_the_next_one_runs(anywhere):
    for slow in ("sleep 60", "sleep 60; echo", "while :; do echo; sleep 0.01; done"):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            run(anywhere, slow, _timeout=0.2)
        assert time.monotonic() - began < 20

    assert run(anywhere, "echo next", _timeout=30) == (0, ["next"], [])


def test_commands_at_the_same_time_do_not_wait_for_each_other(anywhere, tmp_path):
    answers = {}

    def wait_for(mine, other):
        command = f"touch {tmp_path}/{mine}; while [ ! -e {tmp_path}/{other} ]; do sleep 0.01; done"
        answers[mine] = run(anywhere, f"{command}; echo {mine}", _timeout=30)

    both = [threading.Thread(target=wait_for, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert answers == {"a": (0, ["a"], []), "b": (0, ["b"], [])}


def test_nothing_is_left_on_the_host(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with (
        running(tmp_path, QUICK[0], f"{QUICK[1]} TMPDIR={scratch}") as sshd,
        connected(host(target(sshd))) as one,
    ):
        run(one, "cat", _stdin="text", _sudo=True)
        run(one, "cat", _stdin="x" * 100_000)
        run(one, "true", _sudo=True, _sudo_password="secret")
        assert [file.name[:19] for file in scratch.iterdir()] == ["pyinfra-sudo-askpass"[:19]]

    assert not list(scratch.iterdir())
