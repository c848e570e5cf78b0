"""MetalLB, as the engine is asked for it."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pytest

from components.in_cluster import Inside
from components.load_balancer import NAMESPACE, LoadBalancer, LoadBalancerArgs
from components.published import manifests
from components.sections import PublishedManifest
from components.traffic_of_stack import traffic_of
from ops.stack_files import settings_of
from tests.recording import Deployment, run


def body(kind: str, name: str, **more: Any) -> dict[str, Any]:
    namespace = (
        {} if kind in {"Namespace", "CustomResourceDefinition"} else {"namespace": NAMESPACE}
    )
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "creationTimestamp": None, **namespace},
        **more,
    }


CONTROLLER = {
    "template": {
        "metadata": {"labels": {"app": "metallb", "component": "controller"}},
        "spec": {"containers": [{"name": "controller", "args": ["--port=1"]}]},
    }
}
METALLB = [
    body("Deployment", "controller", spec=CONTROLLER, status={}),
    body("ServiceAccount", "controller"),
    body("Service", "metallb-webhook-service"),
    body("ValidatingWebhookConfiguration", "metallb-webhook-configuration"),
    body("CustomResourceDefinition", "ipaddresspools.metallb.io"),
    body("Namespace", NAMESPACE),
]


def inside() -> Inside:
    return Inside(
        provider=pulumi.ProviderResource("kubernetes", "kubernetes", {}),
        cluster=pulumi.ComponentResource("test:index:Cluster", "cluster"),
        kubeconfig=pulumi.Output.secret("kubeconfig"),
        traffic=traffic_of(settings_of("testing")),
    )


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    def program() -> None:
        args = LoadBalancerArgs(address=IPv4Address("192.0.2.200"), manifests=METALLB)
        LoadBalancer("lb", args, inside())

    return run(program)


def test_the_address_is_announced_and_given_to_who_asks_for_it_alone(deployed):
    pool, announced = deployed.named("lb-pool"), deployed.named("lb-announced")

    assert pool.type == "kubernetes:metallb.io/v1beta1:IPAddressPool"
    assert pool.inputs["spec"] == {"addresses": ["192.0.2.200/32"], "autoAssign": False}
    assert announced.inputs["spec"] == {"ipAddressPools": ["application"]}


def test_each_object_waits_for_those_that_it_needs(deployed):
    def after(name: str) -> frozenset[str]:
        return deployed.named(f"lb-{name}").dependencies

    definition = "customresourcedefinition-ipaddresspools.metallb.io"
    assert f"lb-namespace-{NAMESPACE}" in after(definition)
    assert f"lb-{definition}" in after("serviceaccount-controller")
    assert "lb-serviceaccount-controller" in after("deployment-controller")
    assert "lb-deployment-controller" in after("pool")


def test_the_webhook_and_what_is_the_servers_are_left_out(deployed):
    controller = deployed.named("lb-deployment-controller").inputs
    (container,) = controller["spec"]["template"]["spec"]["containers"]

    assert container["args"] == ["--port=1", "--webhook-mode=disabled"]
    assert "status" not in controller
    assert "creationTimestamp" not in controller["metadata"]
    assert not [r for r in deployed.resources if "webhook" in r.name]


def test_what_is_published_stays_as_it_was_read(deployed):
    (container,) = CONTROLLER["template"]["spec"]["containers"]

    assert deployed.resources
    assert container["args"] == ["--port=1"]


def test_every_object_goes_with_the_cluster_and_is_the_providers(deployed):
    objects = [r for r in deployed.resources if r.type.startswith("kubernetes:")]

    assert len(objects) == 8
    assert {(r.parent, r.provider, r.deleted_with) for r in objects} == {
        ("lb", "kubernetes", "cluster")
    }


@pytest.fixture
def published(tmp_path):
    file = tmp_path / "published.yaml"
    file.write_text("kind: A\n---\n---\nkind: B\n")
    return file


def wanted(file: Any, digest: str | None = None) -> PublishedManifest:
    digest = digest or hashlib.sha256(file.read_bytes()).hexdigest()
    return PublishedManifest(place=str(file), sha256=digest)


def test_a_published_file_is_taken_by_its_checksum(published):
    assert [found["kind"] for found in manifests(wanted(published))] == ["A", "B"]
    with pytest.raises(pulumi.RunError, match="expected sha256 0000"):
        manifests(wanted(published, "0" * 64))


def test_what_was_fetched_once_is_not_fetched_again(published, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("components.published._fetched", lambda _: published.read_bytes())
    there = wanted(published).model_copy(update={"place": "https://example.org/a.yaml"})
    first = manifests(there)
    monkeypatch.setattr("components.published._fetched", pytest.fail)

    assert manifests(there) == first
