"""What still runs of an earlier run is found by its mark, and what it has started is not."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_pyinfra.worker.left_running import look_for, mark_of
from tests.pulumi_pyinfra.engine.three_hosts import until

OURS = mark_of("deploys.page:page", "db")
EARLIER = OURS | {"PYINFRA_RUN": "another"}
MARK = " ".join(f"{name}={value}" for name, value in EARLIER.items())


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[str]]:
    """A shell that is kept open for commands, as it is on a host."""
    with subprocess.Popen(["sh"], stdin=subprocess.PIPE, text=True, start_new_session=True) as sh:
        yield sh
        for process in marked():
            os.kill(process, signal.SIGKILL)


def marked() -> list[int]:
    """The processes with the mark."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if OURS["PYINFRA_DEPLOY"].encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
        except OSError:
            continue  # it has ended
    return found


def run(shell: subprocess.Popen[str], command: str) -> str:
    """Give the shell a command, and return what is found once it has come to its sleep."""
    shell.stdin.write(f"{command}\n")
    shell.stdin.flush()
    until(lambda: [n for n in marked() if "sleep" in name_of(n)], "it does not sleep")
    return subprocess.check_output(["sh", "-c", look_for(OURS)], text=True)


def name_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text()
    except OSError:
        return ""


# By name: the parameters themselves would be in the environment (PYTEST_CURRENT_TEST), marked.
WAITED_FOR = {
    "alone": f"{{\nenv {MARK} sh -c 'sleep 600; true'\n}} </dev/null",
    "with input": f"printf 'x' | {{\nenv {MARK} sh -c 'sleep 600; true'\n}}",
    "with children": f"env {MARK} sh -c 'sleep 600 & wait'",
}
SERVICES = {
    "nohup": f"env {MARK} sh -c 'nohup sleep 600 >/dev/null 2>&1 &'",
    "a session": f"env {MARK} setsid sh -c 'sleep 600; true'",
    "a daemon": f"env {MARK} setsid sh -c 'sleep 600 &'",
}


@pytest.mark.parametrize("name", WAITED_FOR)
def test_a_command_that_is_waited_for_is_found(shell, name):
    assert "sleep 600" in run(shell, WAITED_FOR[name])


def test_a_command_of_the_same_run_is_not_found(shell):
    assert run(shell, WAITED_FOR["alone"].replace("another", OURS["PYINFRA_RUN"])) == ""


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_not_found_while_the_shell_that_started_it_lives(shell, name):
    assert run(shell, SERVICES[name]) == ""
    assert shell.poll() is None
