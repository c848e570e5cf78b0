"""The connectors of a stack file, and what asks whether they let requests through."""

from __future__ import annotations

from .cloudflare import Tunnel
from .connector import Connector, ConnectorArgs
from .edge_probe import EdgeProbe, EdgeProbeArgs
from .in_cluster import Inside
from .settings import Settings


def connector_of(settings: Settings, tunnel: Tunnel, inside: Inside | None) -> Connector | None:
    """Return the connectors of a stack, where there is a cluster for them."""
    if inside is None:
        return None
    wanted = settings.cloudflare
    connector = Connector(
        "connector",
        ConnectorArgs(
            image=wanted.connector_image,
            replicas=wanted.tunnel.connectors,
            token=tunnel.token,
        ),
        inside,
    )
    EdgeProbe(
        "edge-probe",
        EdgeProbeArgs(
            image=wanted.probe_image,
            url=f"https://{settings.application.customer.hostname}/",
            connectors=wanted.tunnel.connectors,
            guarded=connector.guarded,
        ),
        inside,
    )
    return connector
