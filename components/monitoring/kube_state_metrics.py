"""kube-state-metrics: what the cluster knows of its objects, as figures.

It may read the kinds that rules speak of, and none that holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..pods import soon_elsewhere
from . import access
from .names import FIGURES, Body, budget, labels, metadata
from .pods import Program, pod, resources

NAME = "kube-state-metrics"
PORT, OWN_PORT = 8080, 8081
READ: Mapping[str, tuple[str, ...]] = {
    "": ("namespaces", "nodes", "persistentvolumeclaims", "pods"),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "policy": ("poddisruptionbudgets",),
}
"""Kinds of objects by their API."""


def allowed() -> list[Body]:
    """Return what it may ask the cluster."""
    rules = [
        access.Rule(group=group, resources=kinds, verbs=("list", "watch"))
        for group, kinds in READ.items()
    ]
    return [access.account(NAME), access.cluster_role(NAME, rules), access.cluster_binding(NAME)]


def objects(image: str) -> dict[str, Body]:
    """Return what runs it, by what it is called; a second one would tell everything twice."""
    kinds = ",".join(sorted(kind for kinds in READ.values() for kind in kinds))
    program = Program(
        name=NAME,
        image=image,
        args=[f"--resources={kinds}", "--host=0.0.0.0", "--telemetry-host=0.0.0.0"],
        ports={FIGURES: PORT, "own-figures": OWN_PORT},
        ready={"path": "/readyz", "port": "own-figures"},
        live={"path": "/livez", "port": FIGURES},
        resources=resources("10m", "64Mi", "256Mi"),
    )
    template = pod(program, [], account=NAME, tolerations=soon_elsewhere())
    return {
        "pods": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(NAME),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels(NAME)},
                "template": template,
            },
        },
        "budget": budget(NAME),
    }
