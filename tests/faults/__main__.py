"""``python -m tests.faults``: have every fault, as often as one likes, and write what came of it.

It needs root, as all machines of the lab do. ``docs/faults.{md,svg,json}`` are written anew after
each round, so that what was measured is not lost with what comes after.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.lab.database.record import PLACE

from . import picture
from .cases import KINDS, file_of
from .page import page
from .runs import Run, Runs, load, recorded

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5


def main() -> None:
    """Have the faults, and write the page."""
    asked = _asked()
    kept = asked.into / "faults.json"
    runs = load(kept) if asked.add or asked.again else Runs({}, [])
    failed = False
    for _ in range(0 if asked.again or asked.take else asked.rounds):
        ended, rows = _round(asked)
        failed |= ended != 0
        runs = runs.more(rows)
        _write(runs, asked.into)
    if asked.take:
        runs = runs.more(recorded(asked.take))
    _write(runs, asked.into)
    sys.exit(failed)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help=", ".join(KINDS)
    )
    parser.add_argument("--quick", action="store_true", help="those for a quarter of an hour")
    parser.add_argument("--add", action="store_true", help="to the runs that are there")
    parser.add_argument("--take", type=Path, help=f"runs that tests kept under ${PLACE}")
    parser.add_argument("--again", action="store_true", help="write the page anew, run nothing")
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    return parser.parse_args()


def _round(asked: argparse.Namespace) -> tuple[int, list[Run]]:
    files = [str(file_of(kind)) for kind in asked.only]
    with TemporaryDirectory() as folder:
        place = Path(folder) / "runs"
        place.touch()
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--durations=0", "--durations-min=1"),
                *(["-m", "quick"] if asked.quick else []),
                *files,
            ],
            cwd=ROOT,
            env={**os.environ, PLACE: str(place)},
            check=False,
        )
        return ended.returncode, recorded(place)


def _write(runs: Runs, into: Path) -> None:
    runs = Runs(_about(), runs.rows)
    runs.save(into / "faults.json")
    (into / "faults.md").write_text(page(runs))
    (into / "faults.svg").write_text(picture.drawn(runs))


def _about() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release().split("-")[0],
    }


if __name__ == "__main__":
    main()
