"""Runs one command and says, as JSON, what it and all of its descendants cost.

``python -m benchmarks.reaper`` with the command as JSON on standard input. It adopts whatever its
descendants leave behind (plugins of the engine, connections that OpenSSH keeps for later), ends it
after the command, and so has the processor time of all of them from the kernel. Memory is sampled
(what is shared counts once), with pauses that keep this below three hundredths of one processor.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from .orphans import adopt, descendants

_PARENT_DEATH_SIGNAL = 1
_LEAST_PAUSE = 0.05
_SHARE = 0.03
_GRACE = 2.0
_LAST = 1_000_000


def _memory_kib() -> int:
    total = 0
    for pid in descendants():
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


class Watch(threading.Thread):
    """Samples the memory of all descendants; ends them when the time is up."""

    def __init__(self, limit: float) -> None:
        super().__init__(daemon=True)
        self._limit = limit
        self.over = threading.Event()
        self.peak_kib = 0
        self.timed_out = False

    def run(self) -> None:
        """Watch until it is over."""
        end = time.monotonic() + self._limit
        pause = _LEAST_PAUSE
        while not self.over.wait(pause):
            began = time.thread_time()
            self.peak_kib = max(self.peak_kib, _memory_kib())
            pause = max((time.thread_time() - began) / _SHARE, _LEAST_PAUSE)
            if time.monotonic() > end:
                self.timed_out = True
                for pid in descendants():
                    _signal(pid, signal.SIGKILL)
                return


def main() -> None:
    """Run the command that stands on standard input."""
    adopt()
    signal.signal(signal.SIGTERM, _stop)
    # The benchmark is killed: its command must not go on.
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    told = json.load(sys.stdin)
    with TemporaryFile() as said:
        try:
            answer = _run(told, said)
        finally:
            _end_all()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        said.seek(0)
        answer["said"] = said.read().decode(errors="replace")[-_LAST:]
    answer["cpu_seconds"] = used.ru_utime + used.ru_stime
    sys.stdout.write(json.dumps(answer))


def _run(told: dict[str, Any], said: IO[bytes]) -> dict[str, Any]:
    watch = Watch(told["limit"])
    began = time.time()
    start = time.perf_counter()
    process = subprocess.Popen(
        told["argv"],
        cwd=told["folder"],
        env=told["variables"],
        stdin=subprocess.PIPE if told["stdin"] else subprocess.DEVNULL,
        stdout=subprocess.PIPE if told["until"] else said,
        stderr=subprocess.STDOUT,
    )
    watch.start()
    if process.stdin:
        # It stays open: its end would tell a worker to stop.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(told["stdin"].encode())
            process.stdin.flush()
    if process.stdout:
        _listen(process, told["until"].encode(), said)
    code = process.wait()
    seconds = time.perf_counter() - start
    watch.over.set()
    watch.join()
    return {
        "code": code,
        "seconds": seconds,
        "began": began,
        "memory_kib": watch.peak_kib,
        "timed_out": watch.timed_out,
    }


def _listen(process: subprocess.Popen[bytes], last: bytes, said: IO[bytes]) -> None:
    """Keep what is said; close its standard input after its last word."""
    assert process.stdin  # noqa: S101 - who waits for an answer has asked something
    assert process.stdout  # noqa: S101
    for line in process.stdout:
        said.write(line)
        if last in line and not process.stdin.closed:
            process.stdin.close()


def _end_all() -> None:
    """End what the command left behind, and collect it."""
    end = time.monotonic() + _GRACE
    for pid in descendants():
        _signal(pid, signal.SIGTERM)
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > end:
                for left in descendants():
                    _signal(left, signal.SIGKILL)
            time.sleep(0.005)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stop(_number: int, _frame: object) -> None:
    _end_all()
    sys.exit(1)


if __name__ == "__main__":
    main()
