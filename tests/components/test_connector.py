"""The connectors and the probe through the edge, as the cluster is asked for them."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.connector import Connector, ConnectorArgs
from components.edge_probe import EdgeProbe, EdgeProbeArgs
from components.in_cluster import Inside
from components.traffic_of_stack import traffic_of
from ops.stack_files import STACKS, settings_of

IMAGE = "cloudflare/cloudflared@sha256:" + "0" * 64
TOKEN = "a-token"
CURL = "curlimages/curl@sha256:" + "1" * 64


def program(token: str = TOKEN) -> None:
    cluster = pulumi.CustomResource("test:index:Cluster", "nodes", {})
    inside = Inside(
        provider=pulumi.ProviderResource("kubernetes", "k", {}),
        cluster=cluster,
        kubeconfig=pulumi.Output.secret("a-kubeconfig"),
        traffic=traffic_of(settings_of("testing")),
    )
    args = ConnectorArgs(image=IMAGE, replicas=3, token=pulumi.Output.secret(token))
    connector = Connector("connector", args, inside)
    EdgeProbe(
        "probe",
        EdgeProbeArgs(
            image=CURL,
            url="https://cold.example/",
            connectors=3,
            guarded=connector.guarded,
        ),
        inside,
    )


@pytest.fixture
def made(deploy):
    return deploy(program)


def of_kind(made, kind):
    """Return the one object of a kind."""
    (found,) = [r for r in made.resources if r.type.endswith(f":{kind}")]
    return found


def pods(made) -> dict[str, dict[str, Any]]:
    """Return what is asked for of each pod."""
    job = of_kind(made, "CronJob").inputs["spec"]["jobTemplate"]["spec"]
    return {
        "connector": of_kind(made, "Deployment").inputs["spec"]["template"]["spec"],
        "probe": job["template"]["spec"],
    }


def test_there_are_as_many_connectors_as_asked_for_and_no_two_on_a_node(made):
    wanted = of_kind(made, "Deployment").inputs["spec"]
    spread = wanted["template"]["spec"]["affinity"]["podAntiAffinity"]
    (rule,) = spread["requiredDuringSchedulingIgnoredDuringExecution"]

    assert wanted["replicas"] == 3
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert rule["labelSelector"]["matchLabels"] == wanted["selector"]["matchLabels"]
    assert wanted["template"]["metadata"]["labels"] == wanted["selector"]["matchLabels"]


def test_a_new_connector_waits_for_the_place_of_an_old_one_and_two_always_serve(made):
    strategy = of_kind(made, "Deployment").inputs["spec"]["strategy"]["rollingUpdate"]
    budget = of_kind(made, "PodDisruptionBudget").inputs["spec"]

    assert strategy == {"maxUnavailable": 1, "maxSurge": 0}
    assert budget["maxUnavailable"] == 1


def test_requests_under_way_are_finished_before_a_connector_is_killed(made):
    pod = pods(made)["connector"]
    words = pod["containers"][0]["args"]

    grace = int(words[words.index("--grace-period") + 1].removesuffix("s"))
    assert pod["terminationGracePeriodSeconds"] > grace


def test_the_token_is_in_a_file_that_a_secret_makes_and_nowhere_else(made):
    secret = of_kind(made, "Secret")
    pod = pods(made)["connector"]
    (container,) = pod["containers"]
    (volume,) = pod["volumes"]

    assert secret.inputs["stringData"] == {"token": TOKEN}
    assert secret.secrets == {"stringData.token"}
    assert volume["secret"]["secretName"] == secret.inputs["metadata"]["name"]
    assert "--token-file" in container["args"]
    assert "env" not in container
    for other in made.resources:
        assert other is secret or TOKEN not in str(other.inputs)


def test_connectors_start_anew_with_another_token(deploy):
    marks = [
        of_kind(deploy(lambda token=token: program(token)), "Deployment").inputs["spec"][
            "template"
        ]["metadata"]["annotations"]["coldstorage/token"]
        for token in ("one", "another", "one")
    ]

    assert marks[0] == marks[2] != marks[1]


def test_a_connector_takes_requests_once_it_is_connected_and_is_restarted_only_if_it_hangs(made):
    (container,) = pods(made)["connector"]["containers"]

    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "metrics"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthcheck"
    assert container["ports"] == [{"name": "metrics", "containerPort": 2000}]
    assert "0.0.0.0:2000" in container["args"]


@pytest.mark.parametrize("name", ["connector", "probe"])
def test_a_pod_asks_for_nothing_that_it_does_not_need(made, name):
    pod = pods(made)[name]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 1000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    assert "@sha256:" in container["image"]
    labels = of_kind(made, "Namespace").inputs["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_the_probe_asks_as_often_as_there_are_connections_and_one_failure_fails_it(made):
    job = of_kind(made, "CronJob").inputs["spec"]
    command = pods(made)["probe"]["containers"][0]["command"]

    assert command[-1] == "https://cold.example/?edge-probe=[1-12]"
    assert {"--fail", "--fail-early"} <= set(command)
    assert job["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pods(made)["probe"]["restartPolicy"] == "Never"
    assert job["concurrencyPolicy"] == "Forbid"
    # One request that gets no answer ends it in time, so that its log is there to be read.
    patience = int(command[command.index("--max-time") + 1])
    assert patience < job["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 60


def test_everything_waits_for_its_namespace(made):
    inside = [
        r for r in made.resources if r.type.startswith("kubernetes:") and "Namespace" not in r.type
    ]

    assert len(inside) == 7
    for one in inside:
        waits = one.dependencies
        assert "connector-namespace" in waits or waits & {"connector-token", "connector-budget"}


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_has_the_images_of_the_stack_file_and_probes_the_open_portal(up, stack):
    wanted, made = settings_of(stack), up(stack)
    deployment = made.named("connector-deployment").inputs["spec"]
    job = made.named("edge-probe-job").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert deployment["replicas"] == 3
    assert deployment["template"]["spec"]["containers"][0]["image"] == (
        wanted.cloudflare.connector_image
    )
    assert job["containers"][0]["image"] == wanted.cloudflare.probe_image
    assert job["containers"][0]["command"][-1].startswith(f"https://{wanted.environment.domain}/?")
