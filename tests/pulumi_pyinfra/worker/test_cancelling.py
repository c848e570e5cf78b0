"""A cancelled worker finishes what runs, starts nothing else, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulumi_pyinfra.protocol import CANCEL, Done, Finished, Host, event_from_json

from .asking import PROGRAM, ask, of, over_ssh, statuses, wanted


class Started:
    """A worker with one host whose second step waits for the file ``go``."""

    def __init__(self, root, host):
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulumi_pyinfra.worker"],
            cwd=PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "TMPDIR": str(root)},
        )
        request = wanted("apply", "steps:steps", [host], arguments={"wait_at": 2})
        self.say(request.to_json())
        self.events = []
        while not (self.events and getattr(self.events[-1], "name", "") == "Step 2"):
            self.hear()

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self):
        assert select.select([self.process.stdout], [], [], 20)[0], "the worker says nothing"
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read().decode()
        self.events.append(event_from_json(line))

    def hear_all(self):
        while not isinstance(self.events[-1], Done):
            self.hear()
        assert self.process.wait(20) == 0, self.process.stderr.read().decode()
        self.close()
        return self.events

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def started(tmp_path, server):
    ssh = over_ssh(server)
    worker = Started(tmp_path, Host(name="db", ssh=ssh, arguments={"root": str(tmp_path)}))
    yield worker
    (tmp_path / "go").touch()
    if worker.process.poll() is None:
        worker.process.kill()
        worker.process.wait()
    worker.close()


WAYS = {
    "a line": lambda worker: worker.say(CANCEL),
    "the end of stdin": lambda worker: worker.process.stdin.close(),
    "SIGTERM": lambda worker: worker.process.send_signal(signal.SIGTERM),
    "SIGINT": lambda worker: worker.process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_running_operation_finishes_and_no_other_starts(started, way):
    WAYS[way](started)
    assert not select.select([started.process.stdout], [], [], 0.2)[0]
    (started.root / "go").touch()

    events = started.hear_all()

    assert statuses(events) == ["changed", "changed", "skipped", "skipped"]
    assert (started.root / "steps").read_text().split() == ["1", "2"]
    (finished,) = of(Finished, events)
    assert (finished.changed, finished.skipped, finished.failed) == (2, 2, False)


def test_nothing_is_left_behind(started, server):
    started.say(CANCEL)
    (started.root / "go").touch()

    started.hear_all()

    assert {path.name for path in started.root.iterdir()} == {"go", "steps"}
    assert not children_of(started.process.pid)
    until(lambda: not sessions_of(server))


def test_a_killed_worker_leaves_no_more_than_the_running_command(started, server):
    started.process.kill()
    started.process.wait()
    (started.root / "go").touch()

    until(lambda: not sessions_of(server))

    assert (started.root / "steps").read_text().split()[:1] == ["1"]
    assert "3" not in (started.root / "steps").read_text()
    assert {path.name for path in started.root.iterdir()} == {"go", "steps"}


def test_after_a_kill_the_next_run_ends_as_any_other(started, server):
    started.process.kill()
    started.process.wait()
    (started.root / "go").touch()
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(started.root)})

    events = ask(wanted("apply", "steps:steps", [host]))

    assert statuses(events) == ["changed"] * 4


def test_a_plan_is_cancelled_too(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_pyinfra.worker"],
        cwd=PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    host = Host(name="here", connector="local", arguments={"root": str(tmp_path)})
    request = wanted("plan", "steps:steps", [host]).to_json()

    said, _ = process.communicate(f"{request}\n{CANCEL}\n".encode(), timeout=20)

    events = [event_from_json(line) for line in said.splitlines()]
    assert process.returncode == 0
    assert isinstance(events[-1], Done)
    assert of(Finished, events)[0].skipped


def children_of(pid):
    """Return the processes that a process had started, wherever they are now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "stat").read_text()
        except OSError:
            continue
        if environment.rpartition(")")[2].split()[1] == str(pid):
            found.append(folder.name)
    return found


def sessions_of(server):
    """Return the connections that a server has open."""
    return children_of(server.process.pid)


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "still not so after 10 s"
        time.sleep(0.02)
