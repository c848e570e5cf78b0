"""K3s' own Traefik, told where to answer, and the portals' names that it answers for.

K3s brings the chart and its images in its release, so they are pinned by the release's checksum.
What is told here is merged by K3s into the chart's values (``HelmChartConfig``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pulumi

from .application_objects import NAMESPACE
from .in_cluster import InCluster, Inside
from .load_balancer import SHARED_BY


@dataclass(frozen=True, kw_only=True, slots=True)
class IngressArgs:
    """What an :class:`Ingress` needs to know."""

    address: IPv4Address
    """Shared with the portals' own ports."""
    replicas: int
    names: Mapping[str, str]
    """By portal, whose service is called so: the name that it has outside."""
    secret: str | None = None
    """Where the certificate of the names is; without one Traefik shows its own."""


class Ingress(InCluster):
    """Who answers for names at the application's address."""

    def __init__(
        self,
        name: str,
        args: IngressArgs,
        inside: Inside,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Ingress", name, inside, opts)
        told = self._object(f"{name}-traefik", _traefik(args), after=after)
        for portal, hostname in args.names.items():
            body = _rule(portal, hostname, args.secret)
            self._object(f"{name}-{portal}", body, after=[told])
        self.register_outputs({})


def _traefik(args: IngressArgs) -> dict[str, Any]:
    values = {
        "deployment": {"replicas": args.replicas},
        "service": {
            "annotations": {"metallb.io/loadBalancerIPs": str(args.address), **SHARED_BY},
        },
    }
    return {
        "apiVersion": "helm.cattle.io/v1",
        "kind": "HelmChartConfig",
        "metadata": {"name": "traefik", "namespace": "kube-system"},
        # JSON is YAML too.
        "spec": {"valuesContent": json.dumps(values, indent=2)},
    }


def _rule(portal: str, hostname: str, secret: str | None) -> dict[str, Any]:
    service = {"name": portal, "port": {"name": "http"}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": portal, "namespace": NAMESPACE},
        "spec": {
            "ingressClassName": "traefik",
            **({"tls": [{"hosts": [hostname], "secretName": secret}]} if secret else {}),
            "rules": [{"host": hostname, "http": {"paths": [path]}}],
        },
    }
