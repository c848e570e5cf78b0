"""The application's objects as manifests: pure functions over plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pulumi

from .in_cluster import encoded
from .load_balancer import SHARED_BY
from .pods import RESTRICTED, restricted, soon_elsewhere

NAMESPACE = "application"
SETTINGS, SECRETS = "/etc/cold-backend", "/run/secrets/cold-backend"
LOGIN = "registry"
USER = 65532
Body = dict[str, Any]
PROBE = {"periodSeconds": 3, "timeoutSeconds": 2, "failureThreshold": 3}
"""Unhealthy after some ten seconds."""
PROGRESS_SECONDS = 120
"""How long a rollout may take to get one pod further, until it has failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portal:
    """One deployment of the application."""

    name: str
    image: str
    port: int
    replicas: int
    most_replicas: int
    pull_secret: bool = False
    """Whether the image is had by who logs in alone."""

    @property
    def labels(self) -> dict[str, str]:
        """Return by what its pods are known."""
        return labels(self.name)

    @property
    def metadata(self) -> Body:
        """Return what all of its objects are called."""
        return {"name": self.name, "namespace": NAMESPACE, "labels": self.labels}


def labels(portal: str) -> dict[str, str]:
    """Return by what the pods of a portal are known."""
    return {"app.kubernetes.io/name": "cold-backend", "app.kubernetes.io/component": portal}


def namespace() -> Body:
    """Return where it is; pods are restricted there, as everywhere."""
    restricted_pods = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": restricted_pods},
    }


def deployment(portal: Portal, told: pulumi.Input[str]) -> Body:
    """Return the portal's pods; ``told`` is a digest of all that they read at their start."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        # Who rolled it back by hand, or by itself, gives way to what the program says.
        "metadata": {**portal.metadata, "annotations": {"pulumi.com/patchForce": "true"}},
        # How many there are is the autoscaler's to say.
        "spec": {
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": PROGRESS_SECONDS,
            "minReadySeconds": 2,
            # One at a time, and never one fewer.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "selector": {"matchLabels": portal.labels},
            "template": {
                "metadata": {"labels": portal.labels, "annotations": {"coldstorage/told": told}},
                "spec": _pod(portal),
            },
        },
    }


def _pod(portal: Portal) -> Body:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": restricted(USER),
        "tolerations": soon_elsewhere(),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                # A node that is lost must not keep its pods from living elsewhere.
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": portal.labels},
                "matchLabelKeys": ["pod-template-hash"],
            }
        ],
        **({"imagePullSecrets": [{"name": LOGIN}]} if portal.pull_secret else {}),
        "containers": [_container(portal)],
        "volumes": [
            {"name": "settings", "configMap": {"name": "cold-backend"}},
            {"name": "secrets", "secret": {"secretName": "cold-backend", "defaultMode": 0o440}},
        ],
    }


def _container(portal: Portal) -> Body:
    def asked(path: str, **more: int) -> Body:
        return {"httpGet": {"path": path, "port": "http"}, **PROBE, **more}

    return {
        "name": "cold-backend",
        "image": portal.image,
        "imagePullPolicy": "IfNotPresent",
        "args": [portal.name],
        "ports": [{"name": "http", "containerPort": portal.port}],
        "envFrom": [{"configMapRef": {"name": "cold-backend"}}],
        "readinessProbe": asked("/healthz/ready"),
        "livenessProbe": asked("/healthz/live"),
        # The first answer may take longer than any later one.
        "startupProbe": asked("/healthz/live", periodSeconds=1, failureThreshold=60),
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [
            {"name": "settings", "mountPath": SETTINGS, "readOnly": True},
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
        ],
    }


def budget(portal: Portal) -> Body:
    """Return how many of its pods may be away on purpose."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": portal.metadata,
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": portal.labels},
            # One that never was well holds no drain up.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def autoscaler(portal: Portal) -> Body:
    """Return how many pods there are, by how busy they are."""
    busy = {"type": "Utilization", "averageUtilization": 70}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": portal.metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": portal.name},
            "minReplicas": portal.replicas,
            "maxReplicas": portal.most_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
        },
    }


def service(portal: Portal, address: IPv4Address | None) -> Body:
    """Return what has the portal's port at the application's address."""
    outside: Body = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}
    named = {"metallb.io/loadBalancerIPs": str(address), **SHARED_BY}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**portal.metadata, **({"annotations": named} if address else {})},
        "spec": {
            **(outside if address else {"type": "ClusterIP"}),
            "selector": portal.labels,
            "ports": [{"name": "http", "port": portal.port, "targetPort": "http"}],
        },
    }


def settings(told: Mapping[str, pulumi.Input[str]]) -> Body:
    """Return what the application is told, but for its secrets."""
    metadata = {"name": "cold-backend", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(told)}


def secrets(told: Mapping[str, pulumi.Input[str]]) -> Body:
    """Return its secrets, each a file."""
    metadata = {"name": "cold-backend", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded(told)}


def login(registries: pulumi.Input[str]) -> Body:
    """Return by what nodes log in to where the image is; ``registries`` is Docker's own JSON."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": LOGIN, "namespace": NAMESPACE},
        "data": encoded({".dockerconfigjson": registries}),
    }
