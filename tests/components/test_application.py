"""The application, as the engine is asked for it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pulumi_kubernetes
import pytest

from components.application import Application, ApplicationArgs
from components.application_objects import NAMESPACE, Portal
from components.application_of_stack import login_of
from components.in_cluster import token
from tests.recording import Deployment, run

from .test_load_balancer import inside

PORTALS = [
    Portal(name=name, image="app@sha256:1", port=port, replicas=3, most_replicas=6)
    for name, port in (("employee", 8080), ("customer", 8081))
]
CONNECTION = {
    "hosts": ["192.0.2.210", "192.0.2.195", "localhost"],
    "port": 5432,
    "name": "cold_db",
    "owner": "cold_user",
    "user": "cold_user_2",
    "authority": "PEM",
    "cache_port": 6379,
}


def application(password: str = "word", **more: Any) -> Deployment:  # noqa: S107
    def program() -> None:
        secrets = {"password": password, "cache_password": "cached"}
        args = ApplicationArgs(
            portals=more.pop("portals", PORTALS),
            address=IPv4Address("192.0.2.200"),
            connection={
                **CONNECTION, **{name: pulumi.Output.secret(w) for name, w in secrets.items()}
            },
            room_stats_seconds=300,
            **more,
        )  # fmt: skip
        Application("app", args, inside())

    return run(program)


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    return application()


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def pod(deployed: Deployment, portal: str = "employee") -> dict[str, Any]:
    found: dict[str, Any] = deployed.named(f"app-{portal}-deployment").inputs
    return found["spec"]["template"]["spec"]


def test_both_portals_share_one_address_at_ports_of_their_own(deployed):
    services = [deployed.named(f"app-{portal.name}-service").inputs for portal in PORTALS]

    assert [s["spec"]["ports"][0]["port"] for s in services] == [8080, 8081]
    annotations = [s["metadata"]["annotations"] for s in services]
    assert annotations[0] == annotations[1]
    assert annotations[0]["metallb.io/loadBalancerIPs"] == "192.0.2.200"
    assert annotations[0]["metallb.io/allow-shared-ip"]


def test_one_pod_at_a_time_is_replaced_and_never_one_is_missing(deployed):
    spec = deployed.named("app-employee-deployment").inputs["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["progressDeadlineSeconds"] == 120


def test_how_many_pods_there_are_is_the_autoscalers_to_say(deployed):
    scaled = deployed.named("app-customer-autoscaler").inputs["spec"]

    assert "replicas" not in deployed.named("app-customer-deployment").inputs["spec"]
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (3, 6)
    assert scaled["scaleTargetRef"]["name"] == "customer"
    assert deployed.named("app-customer-budget").inputs["spec"]["maxUnavailable"] == 1


def test_pods_are_spread_over_nodes_and_leave_a_lost_one_within_ten_seconds(deployed):
    spec = pod(deployed)
    (spread,) = spec["topologySpreadConstraints"]

    assert (spread["topologyKey"], spread["maxSkew"]) == ("kubernetes.io/hostname", 1)
    assert {t["tolerationSeconds"] for t in spec["tolerations"]} == {10}
    assert {t["key"] for t in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe"])
def test_a_pod_that_does_not_answer_is_known_after_some_ten_seconds(deployed, probe):
    told = pod(deployed)["containers"][0][probe]

    assert 8 <= told["periodSeconds"] * told["failureThreshold"] <= 12


def test_pods_may_do_nothing_but_serve(deployed):
    spec = pod(deployed)
    (container,) = spec["containers"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}


def test_it_looks_for_the_database_at_its_address_first(deployed):
    told = deployed.named("app-settings").inputs["data"]
    assert told["DATABASE_USER"] == "cold_user_2", "the account that is used, not who owns"

    assert told["DATABASE_HOSTS"] == "192.0.2.210,192.0.2.195,localhost"
    assert told["REDIS_ADDRESS"] == "192.0.2.210:6379"
    assert told["DATABASE_CA"] == "PEM"


def test_passwords_are_secret_and_in_no_other_object(deployed):
    secret = deployed.named("app-secrets")
    others = [r.inputs for r in deployed.resources if r.name != "app-secrets"]

    assert secret.inputs["data"] == {
        "database-password": encoded("word"),
        "redis-password": encoded("cached"),
    }
    assert {"data.database-password", "data.redis-password"} <= secret.secrets
    assert "cached" not in repr(others)
    assert encoded("cached") not in repr(others)


def test_an_image_that_wants_a_login_has_one():
    docker = '{"auths": {}}'
    portals = [replace(portal, pull_secret=True) for portal in PORTALS]
    made = application(login=docker, portals=portals)
    login = made.named("app-login")

    assert login.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert login.inputs["data"] == {".dockerconfigjson": encoded(docker)}
    assert "data..dockerconfigjson" in login.secrets
    assert pod(made)["imagePullSecrets"] == [{"name": login.inputs["metadata"]["name"]}]


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("cold-backend:v1.0.0", "https://index.docker.io/v1/"),
        ("company/cold-backend:v1.0.0", "https://index.docker.io/v1/"),
        ("ghcr.io/company/cold-backend:v1.0.0", "ghcr.io"),
    ],
)
def test_a_login_is_for_the_registry_that_has_the_image(image, registry):
    assert json.loads(login_of(image, "me:word")) == {"auths": {registry: {"auth": "bWU6d29yZA=="}}}


def test_pods_are_replaced_when_what_they_read_changed(deployed):
    def told(made: Deployment) -> str:
        spec = made.named("app-employee-deployment").inputs["spec"]
        return str(spec["template"]["metadata"]["annotations"]["coldstorage/told"])

    assert told(deployed) == told(application())
    assert told(deployed) != told(application(password="another"))


def test_every_object_is_in_a_namespace_where_pods_are_restricted(deployed):
    namespace = deployed.named("app-namespace").inputs["metadata"]
    objects = [r for r in deployed.resources if r.type.startswith("kubernetes:")]

    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {r.inputs["metadata"].get("namespace", NAMESPACE) for r in objects} == {NAMESPACE}
    assert {(r.parent, r.deleted_with) for r in objects} == {("app", "cluster")}


def test_tokens_are_those_of_the_official_package(deployed):
    kinds = {
        ("v1", "ConfigMap"): pulumi_kubernetes.core.v1.ConfigMap,
        ("v1", "Secret"): pulumi_kubernetes.core.v1.Secret,
        ("v1", "Service"): pulumi_kubernetes.core.v1.Service,
        ("v1", "Namespace"): pulumi_kubernetes.core.v1.Namespace,
        ("apps/v1", "Deployment"): pulumi_kubernetes.apps.v1.Deployment,
        ("policy/v1", "PodDisruptionBudget"): pulumi_kubernetes.policy.v1.PodDisruptionBudget,
        ("autoscaling/v2", "HorizontalPodAutoscaler"): (
            pulumi_kubernetes.autoscaling.v2.HorizontalPodAutoscaler
        ),
        ("networking.k8s.io/v1", "NetworkPolicy"): pulumi_kubernetes.networking.v1.NetworkPolicy,
    }
    ours = {token(*kind): theirs.pulumi_type for kind, theirs in kinds.items()}

    assert {r.type for r in deployed.resources if r.type.startswith("kubernetes:")} == {*ours}
    assert ours == {token: token for token in ours}
