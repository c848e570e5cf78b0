"""Pods of what watches the platform: what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..pods import RESTRICTED, restricted
from .names import Body, labels, metadata

NOBODY = 65534
TOLD = "coldstorage/told"
"""An annotation that changes with what a pod reads at its start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """The one container of a pod."""

    name: str
    image: str
    args: Sequence[str]
    ports: Mapping[str, int]
    ready: Body
    """What answers once it serves: ``path`` and ``port``."""
    live: Body
    resources: Body
    mounts: Mapping[str, str] = field(default_factory=dict)
    """Volumes by where they are; only what is in ``written`` is."""
    written: frozenset[str] = frozenset()
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def container(self) -> Body:
        """Return it as a pod has it."""
        return {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "args": list(self.args),
            "ports": [{"name": n, "containerPort": port} for n, port in self.ports.items()],
            "readinessProbe": {"httpGet": self.ready, "periodSeconds": 5, "timeoutSeconds": 3},
            "livenessProbe": {
                "httpGet": self.live,
                "periodSeconds": 10,
                "timeoutSeconds": 5,
                "failureThreshold": 6,
            },
            # What was measured is read again at a start, which takes its time.
            "startupProbe": {"httpGet": self.live, "periodSeconds": 2, "failureThreshold": 150},
            "resources": self.resources,
            "securityContext": dict(RESTRICTED),
            "volumeMounts": [
                {"name": name, "mountPath": path, "readOnly": name not in self.written}
                for path, name in self.mounts.items()
            ],
            **({"env": _variables(self.environment)} if self.environment else {}),
        }


def _variables(environment: Mapping[str, Any]) -> list[Body]:
    return [{"name": name, "value": value} for name, value in environment.items()]


def resources(cpu: str, memory: str, most_memory: str, most_cpu: str = "1") -> Body:
    """Return what a container gets, and the most that it may take."""
    return {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": {"cpu": most_cpu, "memory": most_memory},
    }


def pod(
    program: Program,
    volumes: Sequence[Body],
    *,
    user: int = NOBODY,
    account: str | None = None,
    told: pulumi.Input[str] = "",
    **more: object,
) -> Body:
    """Return the template of a pod; only who has an ``account`` may ask the cluster."""
    return {
        "metadata": {
            "labels": labels(program.name),
            **({"annotations": {TOLD: told}} if told else {}),
        },
        "spec": {
            "automountServiceAccountToken": account is not None,
            **({"serviceAccountName": account} if account else {}),
            "enableServiceLinks": False,
            "securityContext": restricted(user),
            "containers": [program.container],
            "volumes": list(volumes),
            **more,
        },
    }


def several(program: Program, replicas: int, template: Body, claims: Sequence[Body] = ()) -> Body:
    """Return pods of which each is somebody, keeps its disk, and is on a node of its own."""
    apart = {
        "labelSelector": {"matchLabels": labels(program.name)},
        "topologyKey": "kubernetes.io/hostname",
    }
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}
    template["spec"]["affinity"] = {"podAntiAffinity": required}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(program.name),
        "spec": {
            "replicas": replicas,
            "serviceName": program.name,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels(program.name)},
            "template": template,
            **({"volumeClaimTemplates": list(claims)} if claims else {}),
        },
    }


def empty(name: str, size: str) -> Body:
    """Return room that a pod has while it is there."""
    return {"name": name, "emptyDir": {"sizeLimit": size}}


def files(name: str, config_map: str) -> Body:
    """Return files of a ConfigMap."""
    return {"name": name, "configMap": {"name": config_map}}
