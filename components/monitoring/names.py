"""Where what watches the platform is, and by what it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMESPACE = "monitoring"
EXPORTERS = "node-exporters"
"""Of those who read the nodes' own files: pods may do so here and nowhere else."""
FIGURES = "figures"
"""What the port is called at which a pod tells its figures."""
Body = dict[str, Any]


def labels(name: str) -> dict[str, str]:
    """Return by what the pods of one program are known."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "monitoring"}


def metadata(name: str, namespace: str | None = NAMESPACE) -> Body:
    """Return what an object of one program is called."""
    where = {"namespace": namespace} if namespace else {}
    return {"name": name, **where, "labels": labels(name)}


def namespace(name: str, level: str) -> Body:
    """Return a namespace whose pods are held to a pod security standard."""
    modes = ("enforce", "audit", "warn")
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in modes}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": security}}


def service(
    name: str, ports: Mapping[str, int], *, each: bool = False, early: bool = False
) -> Body:
    """Return under what name a program is asked; with ``each``, each pod has a name of its own.

    With ``early`` it has it before it is ready, as a cluster wants it to find its members.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name),
        "spec": {
            **({"clusterIP": "None"} if each else {}),
            **({"publishNotReadyAddresses": True} if early else {}),
            "selector": labels(name),
            "ports": [
                {"name": called, "port": port, "targetPort": called}
                for called, port in ports.items()
            ],
        },
    }


def config_map(name: str, files: Mapping[str, Any]) -> Body:
    """Return files that hold no secret."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(name),
        "data": dict(files),
    }


def budget(name: str) -> Body:
    """Return that one pod of a program may be away on purpose."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(name),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": labels(name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
