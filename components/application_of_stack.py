"""The application of a stack file, and who gives it its address."""

from __future__ import annotations

import pulumi

from .application import Application, ApplicationArgs
from .application_objects import Portal
from .database import PostgresCluster
from .in_cluster import Inside
from .load_balancer import LoadBalancer, LoadBalancerArgs
from .published import manifests
from .sections import UNPINNED
from .sections import Application as Section
from .settings import Settings


def load_balancer_of(settings: Settings, inside: Inside | None) -> LoadBalancer | None:
    """Return who gives the application its address, where it has one."""
    address = settings.network.application_address
    if not (inside and address):
        return None
    published = manifests(settings.kubernetes.metallb)
    args = LoadBalancerArgs(address=address, manifests=published)
    return LoadBalancer("load-balancer", args, inside)


def application_of(
    settings: Settings,
    inside: Inside | None,
    database: PostgresCluster | None,
    balancer: LoadBalancer | None,
) -> Application | None:
    """Return the application of a stack, if what it needs is there."""
    wanted, cache = settings.application, settings.redis
    if not (inside and database and cache):
        return None
    args = ApplicationArgs(
        portals=[
            Portal(
                name=name,
                image=image_of(wanted),
                port=portal.port,
                replicas=wanted.replicas,
                most_replicas=wanted.most_replicas or wanted.replicas,
            )
            for name, portal in (("employee", wanted.employee), ("customer", wanted.customer))
        ],
        address=settings.network.application_address,
        connection=database.connection,
        room_stats_seconds=cache.ttl_seconds.room_stats,
    )
    return Application("application", args, inside, balancer.ready if balancer else [])


def image_of(wanted: Section) -> str:
    """Return the image as it is asked for: by its digest, unless nobody pinned it."""
    if wanted.digest == UNPINNED:
        pulumi.log.warn(
            f"coldstorage:application.digest: {wanted.image} is taken by its name alone, so that"
            " what runs may change unseen; expected the image's sha256"
        )
        return wanted.image
    return f"{wanted.image}@sha256:{wanted.digest}"
