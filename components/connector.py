"""The tunnel's connectors in the cluster: they dial Cloudflare's edge, nobody dials them.

cloudflared says ``/ready`` while one connection to the edge is open, and ``/healthcheck`` while the
process answers at all. Whether requests pass is what `components.edge_probe` asks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .in_cluster import InCluster, Inside
from .pods import RESTRICTED, restricted, soon_elsewhere

NAMESPACE = "tunnel"
METRICS_PORT = 2000
GRACE_SECONDS = 30
"""How long requests that are under way may take when a connector goes."""
USER = 65532
LABELS = {"app.kubernetes.io/name": "cloudflared"}
TOKEN_FILE = "/etc/tunnel/token"  # noqa: S105 - where it is, not what it is


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectorArgs:
    """What :class:`Connector` needs to know."""

    image: str
    replicas: int
    """At most one is on a node, so no more than there are nodes."""
    token: pulumi.Input[str] = field(repr=False)


class Connector(InCluster):
    """cloudflared on several nodes, in a namespace of its own."""

    guarded: list[pulumi.Resource]
    """Its namespace with the policies, which all pods there wait for."""

    def __init__(
        self,
        name: str,
        args: ConnectorArgs,
        inside: Inside,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Connector", name, inside, opts)
        namespace = self._object(f"{name}-namespace", _namespace())
        self.guarded = [namespace, *self._guarded(name, NAMESPACE, after=[namespace])]
        secret = self._object(
            f"{name}-token",
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": _metadata("tunnel-token"),
                "stringData": {"token": pulumi.Output.secret(args.token)},
            },
            after=[namespace],
        )
        budget = self._object(f"{name}-budget", _budget(), after=[namespace])
        needed = [secret, budget, *self.guarded]
        self._object(f"{name}-deployment", _deployment(args), after=needed)
        self.register_outputs({})


def _namespace() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": dict(LABELS)}


def _budget() -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata("cloudflared"),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": dict(LABELS)},
            # One that never becomes ready must not keep its node from being drained.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def _deployment(args: ConnectorArgs) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("cloudflared"),
        "spec": {
            "replicas": args.replicas,
            "selector": {"matchLabels": dict(LABELS)},
            # Every node may have one already: a new one has no place until an old one goes.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
            },
            "template": {
                "metadata": {
                    "labels": dict(LABELS),
                    # A connector reads its token once: with another one, it starts anew.
                    "annotations": {"coldstorage/token": _mark_of(args.token)},
                },
                "spec": _pod(args),
            },
        },
    }


def _pod(args: ConnectorArgs) -> dict[str, Any]:
    on_another_node = {
        "labelSelector": {"matchLabels": dict(LABELS)},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {
        "automountServiceAccountToken": False,
        "securityContext": restricted(USER),
        "terminationGracePeriodSeconds": GRACE_SECONDS + 10,
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [on_another_node]}
        },
        "tolerations": soon_elsewhere(),
        "containers": [_container(args.image)],
        "volumes": [
            {"name": "token", "secret": {"secretName": "tunnel-token", "defaultMode": 0o440}}
        ],
    }


def _container(image: str) -> dict[str, Any]:
    flags = ("--no-autoupdate", "--metrics", f"0.0.0.0:{METRICS_PORT}")
    grace = ("--grace-period", f"{GRACE_SECONDS}s")
    return {
        "name": "cloudflared",
        "image": image,
        # A file: what is in the environment is read by whoever may see the process.
        "command": ["cloudflared"],
        "args": ["tunnel", *flags, *grace, "run", "--token-file", TOKEN_FILE],
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": "metrics"},
            "periodSeconds": 5,
            "failureThreshold": 2,
        },
        # Not /ready: with the internet gone, a start anew would help nobody.
        "livenessProbe": {
            "httpGet": {"path": "/healthcheck", "port": "metrics"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "resources": {
            "requests": {"cpu": "25m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [{"name": "token", "mountPath": "/etc/tunnel", "readOnly": True}],
    }


def _mark_of(token: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return what changes with the token, and tells nobody what it is."""
    known = pulumi.Output.from_input(token).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
    )
    return pulumi.Output.unsecret(known)
