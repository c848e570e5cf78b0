"""Hold a drill: ``make drill stack=testing`` restores the backup on a standby, and judges it.

    python -m ops.drill testing [--on db-node3] [--report FILE]

The drill itself is a unit of the machine (``database-drill-now``); it also runs there by the clock.
Here it is started, waited for, and its report fetched; it exits with 1 where nothing is proven.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.settings import PROJECT
from ops.reach import FailedError
from ops.tier import Tier, tier_of

UNIT = "database-drill-now.service"
LONGEST = 20 * 3600
_NEWEST = "cat $(ls /var/lib/database-backups/drills/*.json | tail -1)"


def drill(tier: Tier, on: str | None = None) -> dict[str, Any]:
    """Drill on a machine, a standby unless one is named; return its report, proven or not."""
    machine = tier.named(on) if on else tier.replicas_first()[0]
    began = float(machine.run("date +%s.%N"))
    try:
        machine.run(f"systemctl start {UNIT}", seconds=LONGEST)
    except FailedError:
        words = f"journalctl --unit={UNIT} --lines=10 --output=cat --no-pager"
        if (report := _newest(machine.run(f"{_NEWEST} || true"), began)) is None:
            raise FailedError(
                f"{machine.name}: the drill left no report:\n{machine.run(words)}"
            ) from None
        return report
    report = _newest(machine.run(_NEWEST), began)
    if report is None:
        raise FailedError(f"{machine.name}: the drill ended well and left no report")
    return report


def _newest(said: str, began: float) -> dict[str, Any] | None:
    report: dict[str, Any] = json.loads(said or '{"began": 0}')
    return report if report["began"] >= began else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.drill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("--on", help="the machine; a standby unless named")
    parser.add_argument("--report", type=Path, help="where the report is kept, as JSON")
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        with tier_of(options.stack, options.project) as tier:
            report = drill(tier, options.on)
    except FailedError as error:
        raise SystemExit(str(error)) from None
    text = json.dumps(report, indent=2)
    if options.report:
        options.report.write_text(text + "\n")
    print(text)
    sys.exit(not report["proven"])


if __name__ == "__main__":
    main()
