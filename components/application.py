"""The company's application in the cluster: two portals that share one address.

A rollout replaces one pod at a time and never has one fewer; one that fails is taken back
(``components/rollback.py``), and the `up` that brought it fails with the reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pulumi

from . import application_objects as objects
from .application_objects import SECRETS, SETTINGS, Portal
from .in_cluster import InCluster, Inside
from .rollback import taken_back


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationArgs:
    """What an :class:`Application` needs to know."""

    portals: Sequence[Portal]
    address: IPv4Address | None
    """Of both portals; without one they are reached in the cluster alone."""
    connection: Mapping[str, pulumi.Input[Any]] = field(repr=False)
    """The database and the cache, as :class:`PostgresCluster` exports them."""
    room_stats_seconds: int
    """How long the cache may be asked instead of the database."""
    login: pulumi.Input[str] | None = field(default=None, repr=False)
    """What Docker would keep of a login to where the image is, as JSON."""


class Application(InCluster):
    """Deployments, and all that they need."""

    namespace: pulumi.Resource

    def __init__(
        self,
        name: str,
        args: ApplicationArgs,
        inside: Inside,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Application", name, inside, opts)
        told, hidden = _told(args), _hidden(args)
        namespace = self.namespace = self._object(f"{name}-namespace", objects.namespace())
        guarded = self._guarded(name, objects.NAMESPACE, after=[namespace])
        read = [
            self._object(f"{name}-settings", objects.settings(told), after=[namespace]),
            self._object(f"{name}-secrets", objects.secrets(hidden), after=[namespace]),
        ]
        if args.login:
            body = objects.login(pulumi.Output.secret(args.login))
            read.append(self._object(f"{name}-login", body, after=[namespace]))
        digest = pulumi.Output.unsecret(pulumi.Output.json_dumps({**told, **hidden}).apply(_digest))
        for portal in args.portals:
            made = f"{name}-{portal.name}"
            back = taken_back(f"{made}-taken-back", inside.kubeconfig)
            ready = self._object(
                f"{made}-deployment",
                objects.deployment(portal, digest),
                after=[*read, *guarded, *after],
                opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[back])),
            )
            # Before the pods: the autoscaler sees to it that there are enough from the start.
            self._object(f"{made}-autoscaler", objects.autoscaler(portal), after=[namespace])
            self._object(f"{made}-budget", objects.budget(portal), after=[namespace])
            service = objects.service(portal, args.address)
            self._object(f"{made}-service", service, after=[ready])
        self.register_outputs({})


def _told(args: ApplicationArgs) -> dict[str, pulumi.Input[str]]:
    wanted = args.connection
    hosts = pulumi.Output.from_input(wanted["hosts"])
    return {
        "DATABASE_HOSTS": hosts.apply(",".join),
        "DATABASE_PORT": str(wanted["port"]),
        "DATABASE_NAME": wanted["name"],
        "DATABASE_USER": wanted["user"],
        "DATABASE_PASSWORD_FILE": f"{SECRETS}/database-password",
        "DATABASE_CA_FILE": f"{SETTINGS}/DATABASE_CA",
        "DATABASE_CA": wanted["authority"],
        "REDIS_ADDRESS": hosts.apply(lambda all_hosts: f"{all_hosts[0]}:{wanted['cache_port']}"),
        "REDIS_PASSWORD_FILE": f"{SECRETS}/redis-password",
        "REDIS_ROOM_STATS_SECONDS": str(args.room_stats_seconds),
    }


def _hidden(args: ApplicationArgs) -> dict[str, pulumi.Input[str]]:
    return {
        "database-password": pulumi.Output.secret(args.connection["password"]),
        "redis-password": pulumi.Output.secret(args.connection["cache_password"]),
    }


def _digest(told: str) -> str:
    return hashlib.sha256(json.dumps(json.loads(told), sort_keys=True).encode()).hexdigest()[:16]
