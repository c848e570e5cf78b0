"""What watches a stack is in its program once the stack file names images, and not before."""

from __future__ import annotations

import json

import pytest

from components.traffic_of_stack import traffic_of
from ops.stack_files import STACKS, settings_of
from tests import conftest
from tests.components.test_traffic import covered, with_options

IMAGE = "any/image:v1@sha256:" + "0" * 64
IMAGES = ("prometheus", "alertmanager", "kube_state_metrics", "node_exporter", "grafana")


@pytest.fixture
def watched(up, monkeypatch):
    """Run the program for a stack whose file names images."""
    config_of = conftest.config_of

    def with_images(stack: str) -> dict[str, str]:
        config = config_of(stack)
        section = json.loads(config["coldstorage:monitoring"])
        section["images"] = dict.fromkeys(IMAGES, IMAGE)
        section["webhook"] = {"url": "https://sms.example/alerts"}
        return {**config, "coldstorage:monitoring": json.dumps(section)}

    monkeypatch.setattr(conftest, "config_of", with_images)
    return up


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_watches_a_stack_that_names_no_images(up, stack):
    assert not [r for r in up(stack).resources if r.name.startswith("monitoring")]


@pytest.mark.parametrize("stack", STACKS)
def test_all_of_it_is_made_by_providers_of_ours_and_ends_with_the_cluster(watched, stack):
    made = [r for r in watched(stack).resources if r.name.startswith("monitoring-")]

    assert len(made) > 30
    for one in made:
        assert one.parent == "monitoring"
        assert one.provider is not None
        if one.type.startswith("kubernetes:"):
            assert one.deleted_with == "kubernetes-servers"


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_that_watches_is_in_the_map_and_waits_for_the_policies(watched, stack):
    assert covered(watched(stack), traffic_of(with_options(settings_of(stack)))) >= 9


@pytest.mark.parametrize("stack", STACKS)
def test_each_database_machine_of_the_stack_is_asked(watched, stack):
    made = watched(stack)
    told = made.named("monitoring-prometheus-configmap").inputs["data"]
    machines = json.loads(conftest.config_of(stack)["coldstorage:machines"])
    databases = [m["address"] for m in machines.values() if m["role"] == "database"]

    assert len(databases) == 3
    assert all(f"{address}:9187" in told["prometheus.yml"] for address in databases)
    assert told["database.pem"].startswith("certificate of database-certificates-authority")
    assert made.named("monitoring-prometheus-statefulset").inputs["spec"]["replicas"] == 2


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_asked_in_a_namespace_of_others_waits_for_it(watched, stack):
    role = watched(stack).named("monitoring-prometheus-role-tunnel")

    assert "connector-namespace" in role.dependencies
