"""Rules of Prometheus, and the program that says with which series they fire."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Series = Mapping[str, str]
Cases = Mapping[str, tuple[Series, Series]]
"""By alert: series with which it fires, and series with which it does not."""


def alerts_in(file: Path) -> dict[str, dict[str, Any]]:
    """Return the alerts of a file by name."""
    return {
        rule["alert"]: rule
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def assert_they_fire_when_they_should(
    promtool: str, rules: Path, cases: Cases, folder: Path
) -> None:
    """Have promtool evaluate every case."""
    tests = [
        {
            "name": f"{alert} {'fires' if fires else 'is silent'}",
            "interval": "15s",
            "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > 0',
                    "eval_time": "45m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for alert, both in cases.items()
        for series, fires in zip(both, (True, False), strict=True)
    ]
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": tests}))

    done = subprocess.run(
        [promtool, "test", "rules", str(file)], text=True, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
