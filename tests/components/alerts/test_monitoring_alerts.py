"""Each alert of the monitoring itself fires when it should and is silent when all is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.settings import PROJECT

from .rules import alerts_in, assert_they_fire_when_they_should

RULES = PROJECT / "components" / "alerts" / "monitoring.yaml"
RUNBOOKS = PROJECT / "docs" / "runbooks"
ALERTS = alerts_in(RULES)
FAILED = 'alertmanager_notifications_failed_total{integration="email"}'
ERRORS = 'prometheus_notifications_errors_total{pod="a"}'
KNOWN = 'prometheus_notifications_alertmanagers_discovered{pod="a"}'
RULE = 'prometheus_rule_evaluation_failures_total{pod="a",rule_group="b"}'
CLUSTER = 'up{job="kube-state-metrics",instance="a"}'
CASES = {
    "TargetSilent": ({'up{job="etcd",instance="a"}': "0x200"}, {'up{job="node"}': "0x200"}),
    "ClusterUnwatched": ({CLUSTER: "0x200"}, {CLUSTER: "1x200"}),
    "NotificationsFail": ({FAILED: "0+1x200"}, {FAILED: "1x200"}),
    "AlertsGoNowhere": ({KNOWN: "0x200"}, {KNOWN: "1x200", ERRORS: "1x200"}),
    "RulesFail": ({RULE: "0+1x200"}, {RULE: "1x200"}),
}


def test_every_alert_has_series_with_which_it_fires_and_some_with_which_it_does_not():
    assert CASES.keys() == ALERTS.keys()


@pytest.mark.engine
def test_alerts_fire_when_they_should_and_not_otherwise(promtool, tmp_path: Path):
    assert_they_fire_when_they_should(promtool, RULES, CASES, tmp_path)


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_every_alert_names_a_runbook_that_is_there(alert):
    assert (RUNBOOKS / f"{ALERTS[alert]['annotations']['runbook']}.md").exists()
