"""``python -m benchmarks``: measure everything side by side, and write what came of it.

It needs ``make tools``, an SSH server (openssh-server) and Debian's python3-apt. A run of some
parts (``--only B2,B7``) is printed; a whole run is written to ``docs/``.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from toolchain import engine

from . import picture
from .contest import Contest
from .fleet import Fleet
from .page import page
from .parts import (
    converging,
    far_away,
    inside,
    one_change,
    one_command,
    sleeping,
    unchanged,
)
from .peers import Peers
from .result import Result, Results
from .rounds import Rounds

DOCS = Path(__file__).resolve().parent.parent / "docs"
PARTS = {
    "Inside": inside.cases,
    "Command": one_command.cases,
    "B1": converging.first,
    "B2": unchanged.cases,
    "B3": converging.growing,
    "B4": sleeping.cases,
    "B7": far_away.cases,
    "B8": one_change.cases,
}
ROUNDS = 5


def main() -> None:
    """Measure, and write or print."""
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    kept = asked.into / "benchmarks.json"
    if asked.again:
        results = Results.load(kept)
    else:
        results = _measured(asked.only or set(PARTS), asked.rounds)
        if asked.only:
            sys.stdout.write(page(results))
            return
        results.save(kept)
    (asked.into / "benchmarks.md").write_text(page(results))
    (asked.into / "benchmarks.svg").write_text(picture.drawn(results))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only",
        type=_parts,
        metavar="PARTS",
        help=f"with commas between: {', '.join(PARTS)}; what is measured is printed",
    )
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder that is written to")
    parser.add_argument("--again", action="store_true", help="write the page anew, measure nothing")
    return parser.parse_args()


def _parts(text: str) -> set[str]:
    parts = {part.strip() for part in text.split(",")}
    if unknown := parts - PARTS.keys():
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return parts


def _measured(only: set[str], rounds: int) -> Results:
    # First, so that nothing can go wrong with it in the end.
    about = _about(rounds)
    began = time.monotonic()
    peers = Peers.installed()
    rows: list[Result] = []
    with TemporaryDirectory() as folder, Fleet(Path(folder) / "fleet") as fleet:
        contest = Contest(fleet, Path(folder), peers)
        measure = Rounds(fleet, rounds)
        for part in (part for part in PARTS if part in only):
            try:
                for case in PARTS[part](contest):
                    rows += measure.of(case)
            except Exception:  # noqa: BLE001 - what was measured must not be lost with the rest
                sys.stderr.write(f"FAILED  {part}\n{traceback.format_exc()}")
    minutes = round((time.monotonic() - began) / 60)
    after = {"load_after": round(os.getloadavg()[0], 1), "minutes": minutes}
    return Results(about=about | after, rows=rows)


def _about(rounds: int) -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    environment = {**os.environ, **engine.environment()}
    pulumi = subprocess.run(
        ["pulumi", "version"], env=environment, capture_output=True, text=True, check=True
    )
    return {
        "commit": _commit(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "rounds": rounds,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "pulumi": pulumi.stdout.strip(),
        "pyinfra": version("pyinfra"),
        "peers": Peers.versions(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7"],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
