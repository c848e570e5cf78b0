"""What nodes would do: pods become ready, or fail in the way that their image names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from .api import Api, ApiError

ADDRESS = "192.0.2.10"
NODE = "node"
EVERY_SECONDS = 0.2


@contextmanager
def kubelet(api: Api) -> Iterator[None]:
    """Play the nodes, and whoever gives addresses, beside the block."""
    done = threading.Event()
    thread = threading.Thread(target=_work, args=(api, done), name="kubelet")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _work(api: Api, done: threading.Event) -> None:
    api.call("POST", "/api/v1/nodes", {"metadata": {"name": NODE}})
    while not done.wait(EVERY_SECONDS):
        for pod in api.items("/api/v1/pods"):
            with _meanwhile_gone():
                _run(api, f"/api/v1/namespaces/{_place(pod, 'pods')}", pod)
        balanced = [
            (f"/api/v1/namespaces/{_place(service, 'services')}", service)
            for service in api.items("/api/v1/services")
            if service["spec"].get("type") == "LoadBalancer"
        ]
        group = "/apis/networking.k8s.io/v1"
        balanced += [
            (f"{group}/namespaces/{_place(ingress, 'ingresses')}", ingress)
            for ingress in api.items(f"{group}/ingresses")
        ]
        for path, item in balanced:
            if not item["status"]["loadBalancer"]:
                with _meanwhile_gone():
                    api.set_status(path, {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}})


def _place(item: dict[str, Any], kind: str) -> str:
    return f"{item['metadata']['namespace']}/{kind}/{item['metadata']['name']}"


@contextmanager
def _meanwhile_gone() -> Iterator[None]:
    """Let pass that something went away, or changed, since it was read."""
    try:
        yield
    except ApiError as error:
        if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise


def _run(api: Api, path: str, pod: dict[str, Any]) -> None:
    if "deletionTimestamp" in pod["metadata"]:
        api.call("DELETE", path, {"gracePeriodSeconds": 0})
    elif "nodeName" not in pod["spec"]:
        target = {"metadata": {"name": pod["metadata"]["name"]}, "target": {"name": NODE}}
        api.call("POST", f"{path}/binding", target)
    elif "containerStatuses" not in pod["status"]:
        api.set_status(path, _pod_status(pod))


def _pod_status(pod: dict[str, Any]) -> dict[str, Any]:
    container = pod["spec"]["containers"][0]
    image, name = container["image"], container["name"]
    if "missing" in image:
        waiting = {"reason": "ImagePullBackOff", "message": f"no image {image} here"}
        return _status(name, image, {"waiting": waiting}, ready=False)
    if pod["spec"]["restartPolicy"] != "Always":
        ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        return {**_status(name, image, ended, ready=False), "phase": "Succeeded"}
    return _status(name, image, {"running": {}}, ready=True)


def _status(name: str, image: str, state: dict[str, Any], *, ready: bool) -> dict[str, Any]:
    word = "True" if ready else "False"
    container = {
        "name": name,
        "image": image,
        "imageID": image,
        "ready": ready,
        "restartCount": 0,
        "state": state,
    }
    return {
        "phase": "Running" if ready else "Pending",
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "conditions": [
            {"type": kind, "status": word, "lastTransitionTime": "2026-01-01T00:00:00Z"}
            for kind in ("Ready", "ContainersReady")
        ],
        "containerStatuses": [container],
    }
