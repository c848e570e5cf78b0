"""What watches the platform of a stack file, if anything does."""

from __future__ import annotations

import pulumi

from ..connector import Connector
from ..database import PostgresCluster
from ..in_cluster import Inside
from ..sections import Role
from ..settings import Settings
from .monitoring import Monitoring, MonitoringArgs
from .scraping import DatabaseTier

TWO = 2
"""The node that is lost must not be the one on which all of them were."""


def monitoring_of(
    settings: Settings,
    inside: Inside | None,
    database: PostgresCluster | None,
    connector: Connector | None,
    config: pulumi.Config,
    *,
    opts: pulumi.ResourceOptions,
) -> Monitoring | None:
    """Return what watches a stack: nothing, unless it names images and has a cluster for them."""
    wanted = settings.monitoring
    if not (inside and connector and wanted.images):
        return None
    nodes = [m for m in settings.machines.values() if m.role is not Role.DATABASE]
    args = MonitoringArgs(
        wanted=wanted,
        images=wanted.images,
        replicas=min(TWO, len(nodes)),
        tier=_tier(settings) if database else None,
        authority=database.connection["authority"] if database else None,
        mail_password=config.get_secret("alert_mail_password"),
        webhook_token=config.get_secret("alert_webhook_token"),
    )
    # Whom it may ask in the connectors' namespace is said there.
    return Monitoring("monitoring", args, inside, connector.guarded, opts)


def _tier(settings: Settings) -> DatabaseTier | None:
    address = settings.network.database_address
    if address is None:
        return None
    machines = {name: m.address for name, m in settings.machines.items() if m.role is Role.DATABASE}
    return DatabaseTier(machines=machines, virtual_address=address)
