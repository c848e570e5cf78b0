"""Waiting for what is made, and the reasons when it does not become ready."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from tests.engine.conftest import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

LABELS = {"app": "web"}
WEB = "/apis/apps/v1/namespaces/default/deployments/web"


def web(image: str, **annotations: str) -> dict:
    container = {"name": "web", "image": image}
    return {
        "kind": "Deployment",
        "resource": "web",
        "metadata": {"name": "web", "annotations": annotations},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}},
        },
    }


def quickly(image: str) -> dict:
    return web(image, **{"pulumi.com/timeoutSeconds": "5"})


def test_a_failed_rollout_says_why_and_the_next_up_recovers(project, cluster):
    project.want("small", objects=[quickly("web:1")])
    project.up()
    project.want("small", objects=[quickly("web:missing")])

    said = project.fails("up", "--yes", "--skip-preview")

    assert "ImagePullBackOff" in said
    assert "no image web:missing here" in said
    assert cluster.get(WEB)["status"]["readyReplicas"] == 1
    project.want("small", objects=[quickly("web:2")])
    assert project.up() == {"update": 1, "same": 2}
    assert project.up() == {"same": 3}


def test_an_object_that_never_became_ready_is_kept_and_tried_again(project, cluster):
    project.want("small", objects=[quickly("web:missing")])

    project.fails("up", "--yes", "--skip-preview")

    assert "kubernetes:apps/v1:Deployment" in [r["type"] for r in project.state()]
    assert cluster.has(WEB)
    said = project.fails("up", "--yes", "--skip-preview")
    assert "ImagePullBackOff" in said


def test_an_unready_object_is_reported_by_a_refresh(project):
    project.want("small", objects=[web("web:missing", **{"pulumi.com/timeoutSeconds": "2"})])
    project.fails("up", "--yes", "--skip-preview")

    done = project.pulumi("refresh", "--yes", "--skip-preview")

    assert "unhealthy state" in done.stdout + done.stderr


def test_an_interrupted_up_ends_its_waits_and_keeps_what_was_made(project, cluster):
    project.want("small", objects=[web("web:missing")])

    with project.started("up", "--yes", "--skip-preview") as running:
        wait_until(lambda: cluster.has(WEB), 60)
        running.send_signal(signal.SIGINT)
        running.wait(timeout=30)

    assert "kubernetes:apps/v1:Deployment" in [r["type"] for r in project.state()]


def test_skip_await_does_not_wait(project):
    project.want("small", objects=[web("web:missing", **{"pulumi.com/skipAwait": "true"})])

    assert project.up()["create"] == 3


def test_a_service_waits_for_a_pod_and_says_which(project):
    service = {
        "kind": "Service",
        "metadata": {"name": "lonely", "annotations": {"pulumi.com/timeoutSeconds": "2"}},
        "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
    }
    project.want("small", objects=[service])

    said = project.fails("up", "--yes", "--skip-preview")

    # Ours, or the official plugin's words.
    assert "app=nobody" in said or "does not target any Pods" in said


def test_a_custom_condition_is_waited_for(project, cluster):
    wait = {"pulumi.com/waitFor": "jsonpath={.data.done}=yes", "pulumi.com/timeoutSeconds": "30"}
    wanted = {
        "kind": "ConfigMap",
        "metadata": {"name": "slow", "annotations": wait},
        "data": {"a": "1"},
    }
    project.want("small", objects=[wanted])
    path = "/api/v1/namespaces/default/configmaps/slow"
    ended: list[float] = []
    done = threading.Event()

    def finish() -> None:
        while not cluster.has(path):
            if done.wait(0.1):
                return
        ended.append(time.monotonic())
        cluster.edit(path, {"data": {"done": "yes"}})

    thread = threading.Thread(target=finish)
    thread.start()
    try:
        project.up()
    finally:
        done.set()
        thread.join()

    assert ended
    assert cluster.get(path)["data"] == {"a": "1", "done": "yes"}


def test_a_namespace_with_something_that_stays_says_what_holds_it_up(project, cluster):
    project.want(
        "small",
        objects=[
            {
                "kind": "Namespace",
                "metadata": {"name": "held", "annotations": {"pulumi.com/timeoutSeconds": "5"}},
            }
        ],
    )
    project.up()
    body = {"metadata": {"name": "stays", "finalizers": ["example.org/never"]}}
    path = "/api/v1/namespaces/held/configmaps"
    cluster.call("POST", path, body)

    try:
        said = project.fails("destroy", "--yes", "--skip-preview")
    finally:
        cluster.edit(f"{path}/stays", {"metadata": {"finalizers": None}})

    assert "example.org/never" in said or "not gone in time" in said
