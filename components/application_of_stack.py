"""The application of a stack file, and who gives it its address."""

from __future__ import annotations

import json
from base64 import b64encode

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
    config: pulumi.Config,
) -> Application | None:
    """Return the application of a stack, if what it needs is there."""
    wanted, cache = settings.application, settings.redis
    if not (inside and database and cache):
        return None
    login = config.get_secret("registry_login")
    args = ApplicationArgs(
        portals=[
            Portal(
                name=name,
                image=image_of(wanted),
                port=portal.port,
                replicas=wanted.replicas,
                most_replicas=wanted.most_replicas or wanted.replicas,
                pull_secret=login is not None,
            )
            for name, portal in (("employee", wanted.employee), ("customer", wanted.customer))
        ],
        address=settings.network.application_address,
        connection=database.connection,
        room_stats_seconds=cache.ttl_seconds.room_stats,
        login=login.apply(lambda word: login_of(wanted.image, word)) if login else None,
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


def login_of(image: str, login: str) -> str:
    """Return what Docker would keep of a login, ``user:password``, to where an image is."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first)
    registry = first if named else "https://index.docker.io/v1/"
    auth = b64encode(login.encode()).decode()
    return json.dumps({"auths": {registry: {"auth": auth}}})
