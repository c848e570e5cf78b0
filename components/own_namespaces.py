"""The namespaces that a cluster has of itself, kept to the map as those of ours are.

Names are asked for in ``kube-system`` and volumes made there, by pods that may read much of the
cluster: what they may say to whom is worth as much as anywhere. ``default`` has no pods of ours.
"""

from __future__ import annotations

import pulumi

from .in_cluster import InCluster, Inside
from .traffic_of_stack import OWN_NAMESPACES


class OwnNamespaces(InCluster):
    """Policies where no component of ours is at home."""

    def __init__(
        self, name: str, inside: Inside, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("OwnNamespaces", name, inside, opts)
        for namespace in OWN_NAMESPACES:
            self._guarded(f"{name}-{namespace}", namespace)
        self.register_outputs({})


def own_namespaces_of(inside: Inside | None) -> OwnNamespaces | None:
    """Return the cluster's own namespaces, where there is a cluster."""
    return OwnNamespaces("own", inside) if inside else None
