"""Somebody at a keyboard, with a lab of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.checkout import ROOT


class People:
    """Runs the lab's commands as people do."""

    def __init__(self, lab: str) -> None:
        self.environment = {**os.environ, "COLDSTORAGE_LAB": lab}

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command of the lab to its end and return what it said."""
        ended, said = self._run(*words)
        assert ended == code, said
        return said

    def fail(self, *words: str) -> str:
        """Run a command that has to fail, and return what it said."""
        ended, said = self._run(*words)
        assert ended, said
        return said

    def _run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "lab", *words],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command beside the block; at its end it is killed, with all that it started."""
        process = subprocess.Popen(
            [sys.executable, "-m", "lab", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def a_person() -> Iterator[People]:
    """Give a lab of a test's own, gone afterwards whatever happens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLDSTORAGE_LAB", f"test-{os.getpid()}")
        person = People(os.environ["COLDSTORAGE_LAB"])
        try:
            yield person
        finally:
            person.run("down")
