"""A rollout that failed is taken back: the pods that served before go on, and `up` says so.

Kubernetes stops a rollout that gets no further and leaves it there. The engine calls this when it
gave up on a Deployment: the template of those pods that still serve becomes the Deployment's again.
The state keeps what was wanted, so that the next `up` tries it anew, or what it was corrected to.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi

from .kubernetes_api import KubernetesApi

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def taken_back(name: str, kubeconfig: pulumi.Output[str]) -> pulumi.ErrorHook:
    """Return what the engine does when a Deployment could not be changed."""

    async def hook(failed: pulumi.ErrorHookArgs) -> bool:
        if failed.failed_operation == "update" and (known := await kubeconfig.future()):
            metadata = (failed.new_inputs or {})["metadata"]
            place = metadata["namespace"], metadata["name"]
            said = await asyncio.to_thread(_take_back, KubernetesApi(known), *place)
            pulumi.log.error(f"{failed.name}: {said}")
        return False  # What was wrong is still wrong: not again.

    return pulumi.ErrorHook(name, hook)


def _take_back(api: KubernetesApi, namespace: str, name: str) -> str:
    try:
        return take_back(api, namespace, name)
    except (OSError, LookupError) as error:
        return f"the rollout could not be taken back: {error}"


def take_back(api: KubernetesApi, namespace: str, name: str) -> str:
    """Give a Deployment the template of its pods that serve, and say which that is."""
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    deployment = api.get(f"{apps}/deployments/{name}")
    sets = [
        found
        for found in api.get(f"{apps}/replicasets")["items"]
        if any(o["uid"] == deployment["metadata"]["uid"] for o in _owners(found))
    ]
    earlier = sorted(sets, key=_revision)[:-1]
    serving = [found for found in earlier if _ready(found)]
    if not serving:
        return "the rollout is left as it is: no pod of an earlier one serves"
    last = serving[-1]
    template = last["spec"]["template"]
    template["metadata"]["labels"].pop(HASH, None)
    change = [{"op": "replace", "path": "/spec/template", "value": template}]
    api.patch(f"{apps}/deployments/{name}?fieldManager=coldstorage-rollback", change)
    images = ", ".join(container["image"] for container in template["spec"]["containers"])
    return f"the rollout was taken back: {_ready(last)} pods go on with {images}"


def _owners(found: dict[str, Any]) -> list[dict[str, Any]]:
    owners: list[dict[str, Any]] = found["metadata"].get("ownerReferences", [])
    return owners


def _revision(found: dict[str, Any]) -> int:
    return int(found["metadata"].get("annotations", {}).get(REVISION, 0))


def _ready(found: dict[str, Any]) -> int:
    return int(found["status"].get("readyReplicas", 0))
