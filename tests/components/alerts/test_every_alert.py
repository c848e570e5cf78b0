"""What holds for the alerts of every file of rules."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from . import (
    test_cluster_alerts,
    test_database_alerts,
    test_machine_alerts,
    test_monitoring_alerts,
    test_way_in_alerts,
)
from .rules import assert_they_fire_when_they_should

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
FILES = [
    test_cluster_alerts,
    test_database_alerts,
    test_machine_alerts,
    test_monitoring_alerts,
    test_way_in_alerts,
]
every_file = pytest.mark.parametrize("of", FILES, ids=lambda of: of.RULES.stem)


def test_no_file_of_rules_is_left_out():
    (folder,) = {of.RULES.parent for of in FILES}

    assert {of.RULES for of in FILES} == {*folder.glob("*.yaml")}


@every_file
def test_every_alert_has_series_with_which_it_fires_and_some_with_which_it_does_not(of: ModuleType):
    assert of.CASES.keys() == of.ALERTS.keys()


@pytest.mark.engine
@every_file
def test_alerts_fire_when_they_should_and_not_otherwise(of: ModuleType, promtool, tmp_path: Path):
    assert_they_fire_when_they_should(promtool, of.RULES, of.CASES, tmp_path)


@pytest.mark.parametrize(
    ("of", "alert"),
    [
        pytest.param(of, alert, id=f"{of.RULES.stem}-{alert}")
        for of in FILES
        for alert in sorted(of.ALERTS)
    ],
)
def test_every_alert_names_a_runbook_that_is_there(of: ModuleType, alert: str):
    assert (RUNBOOKS / f"{of.ALERTS[alert]['annotations']['runbook']}.md").exists()
