"""What came of each run of a case, a line of JSON each, for ``python -m tests.faults``."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .case import Fault

PLACE = "FAULTS_RECORD"
"""The variable with the file's name; without it nothing is kept."""


def kept(fault: Fault, told: Mapping[str, float], failure: str) -> None:
    """Keep one run, good or bad."""
    if not (place := os.environ.get(PLACE)):
        return
    row = {
        **asdict(fault),
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "load": round(os.getloadavg()[0], 1),
        "commit": _commit(),
        "told": dict(told),
        "failure": _reason(failure),
    }
    with Path(place).open("a") as file:
        file.write(json.dumps(row) + "\n")


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _reason(failure: str) -> str:
    """Return the line of a failure that says what was wrong."""
    said = [line[1:].strip() for line in failure.splitlines() if line.startswith("E ")]
    return said[0].removeprefix("AssertionError: ") if said else failure.strip()[-300:]
