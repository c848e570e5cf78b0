"""What watches the platform sees all of it, and people hear when something is wrong and when not.

The tests tell one story in the order of the file: a cluster and a database take minutes to make.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.alert_receivers import mark
from tests.components.monitoring.metrics import LEFT_BY_PROGRAMS, spoken_of

from .conftest import until
from .watched import NODE, PASSWORD, TOKEN, Watched, grafana, watched

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
LOG = logging.getLogger(__name__)
JOBS = {
    "alertmanager", "apiserver", "cadvisor", "cloudflared", "etcd", "k3s-node",
    "kube-state-metrics", "kubelet", "node", "patroni", "postgres", "prometheus",
}  # fmt: skip
KILLED = "DatabaseWithoutLeader"
A_WARNING = "DatabaseMemberDown"
BOTH = {"mail", "webhook"}
EVERYBODYS = "(go|process|promhttp)_.+|ALERTS.*|pg_settings_(m[^a]|[^m]).+"


@pytest.fixture(scope="module")
def seen(cluster, tmp_path_factory) -> Iterator[Watched]:
    with watched(cluster, tmp_path_factory.mktemp("watched")) as made:
        yield made
        LOG.info("measured, in seconds: %s", {k: round(v, 1) for k, v in made.took.items()})


def test_everybody_is_asked_and_answers(seen):
    def all_up() -> bool:
        targets = seen.targets()
        wrong = [said for each in targets.values() for said in each if said != "up"]
        assert targets.keys() == JOBS, f"missing {JOBS - targets.keys()}"
        assert not wrong, wrong
        return True

    seen.took["every target up"] = until(all_up, 150, "every target is up")


def test_every_rule_can_be_evaluated_and_none_fires_while_all_is_well(seen):
    def evaluated() -> bool:
        groups = seen.asked("prometheus", "/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        wrong = [f"{r['name']}: {r['health']} {r.get('lastError')}" for r in rules
                 if r["health"] != "ok"]  # fmt: skip
        assert not wrong, wrong
        return len(rules) > 40

    until(evaluated, 60, "every rule was evaluated")
    until(lambda: not seen.firing(), 60, "what was not there yet is there")
    until(lambda: not seen.unfinished(), 150, "that it is over was told")


def names_told(seen: Watched) -> dict[str, list[str]]:
    """Return the figures that are there, by job; what every program in Go tells is left out."""
    names: dict[str, set[str]] = {}
    for one in seen.query(f'group by (job, __name__) ({{job!="",__name__!~"{EVERYBODYS}"}})'):
        names.setdefault(one["metric"]["job"], set()).add(one["metric"]["__name__"])
    return {job: sorted(found) for job, found in sorted(names.items())}


def test_every_figure_that_a_rule_or_a_picture_speaks_of_is_there(seen):
    def there() -> bool:
        found = {name for names in names_told(seen).values() for name in names}
        missing = spoken_of() - LEFT_BY_PROGRAMS - found
        assert not missing, sorted(missing)
        return True

    until(there, 150, "every figure is there")
    if file := os.environ.get("KEEP_METRICS"):
        Path(file).write_text(yaml.safe_dump(names_told(seen), width=96, default_flow_style=None))


def test_a_database_that_loses_its_leader_is_heard_of_by_mail_and_by_webhook(seen):
    seen.forget()
    for machine in seen.tier.machines:
        machine.ssh("systemctl stop patroni")

    seen.took["no leader to heard of"] = until(
        lambda: seen.told(KILLED, "firing") == BOTH, 150, "both were told"
    )

    (mail, *_) = [m for m in seen.heard("mail") if KILLED in m["subject"]]
    assert mail["recipient"] == "<on-call@cold.example>"
    assert "no machine leads, nothing can be written" in mail["text"]


def test_a_warning_is_a_mail_and_wakes_nobody(seen):
    until(lambda: seen.told(A_WARNING, "firing") == {"mail"}, 120, "a mail of the warning")


def test_that_it_is_over_is_heard_of_too(seen):
    seen.forget()
    for machine in seen.tier.machines:
        machine.ssh("systemctl start patroni")

    seen.took["leader back to heard of"] = until(
        lambda: seen.told(KILLED, "resolved") == BOTH, 180, "both were told that it is over"
    )


def test_who_is_told_was_shown_the_password_and_nobody_else_was(seen):
    assert {m["login"] for m in seen.heard("mail")} == {f"platform {mark(PASSWORD)}"}
    assert {w["shown"] for w in seen.heard("webhook")} == {mark(TOKEN)}

    everything = "configmaps,pods,statefulsets,deployments,daemonsets,events,services"
    said = seen.cluster.kubectl(f"get {everything} --all-namespaces -o json")
    settings = json.dumps(seen.asked("alertmanager", "/api/v2/status"))
    logs = seen.cluster.kubectl("logs --namespace=monitoring alertmanager-0 --tail=-1")
    processes = seen.cluster.lab.machines[NODE].ssh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    for secret in (PASSWORD, TOKEN):
        assert secret not in said + settings + logs + processes
        assert secret not in seen.heard_in.read_text()
    assert "alertmanager.yml" in said


def test_no_pod_of_it_may_read_a_secret(seen):
    for account in ("prometheus", "kube-state-metrics"):
        who = f"--as=system:serviceaccount:monitoring:{account}"
        asked = f"auth can-i {{}} secrets --all-namespaces {who} || true"
        for verb in ("get", "list", "watch"):
            assert seen.cluster.kubectl(asked.format(verb)).strip() == "no"


def test_nobody_asks_whom_it_does_not_concern(seen):
    """Who comes from elsewhere is let in once there is no policy, so it was the policy."""
    address = seen.cluster.kubectl(
        "get pod prometheus-0 --namespace=monitoring --output=jsonpath={.status.podIP}"
    )
    asks = f"wget -q -T 3 -O - http://{address}:9090/-/ready || echo refused"
    container = {"name": "stranger", "image": "lab/debug:1", "args": ["-c", "exec sleep 600"]}
    spec = {"nodeName": NODE, "terminationGracePeriodSeconds": 0, "containers": [container]}
    metadata = {"name": "stranger"}
    seen.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def said() -> str:
        return seen.cluster.kubectl(f"exec stranger -- sh -c '{asks}'").strip()

    until(lambda: bool(said()), 60, "a stranger asks")
    assert said() == "refused"
    seen.cluster.kubectl("delete networkpolicies --all --namespace=monitoring")
    until(lambda: "Ready" in said(), 60, "a stranger is let in")


def test_what_cannot_be_had_here_is_at_least_what_the_cluster_would_take(seen):
    declared = [body for body in grafana() if "grafana" in body["metadata"]["name"]]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": declared})

    said = seen.cluster.kubectl(
        f"apply --dry-run=server --validate=strict -f - <<'END'\n{text}\nEND"
    )

    kinds = {"ConfigMap", "Deployment", "NetworkPolicy", "Secret", "Service"}
    assert {body["kind"] for body in declared} == kinds
    assert said.count("created (server dry run)") == len(declared)
    assert "Warning" not in said
