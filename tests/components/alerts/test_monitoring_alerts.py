"""Each alert of the monitoring itself fires when it should and is silent when all is well."""

from __future__ import annotations

from components.settings import PROJECT

from .rules import alerts_in

RULES = PROJECT / "components" / "alerts" / "monitoring.yaml"
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
