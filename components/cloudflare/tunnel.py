"""The tunnel: the one way in, dialled from the inside, and what it leads to.

Its configuration is kept at Cloudflare, so that a route changes without touching a connector.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from .resources import ZeroTrustTunnelCloudflared, ZeroTrustTunnelCloudflaredConfig

NOWHERE = "http_status:404"


@dataclass(frozen=True, kw_only=True, slots=True)
class TunnelArgs:
    """What a :class:`Tunnel` needs to know."""

    account_id: str
    name: str
    services: Mapping[str, str]
    """By public name, where a connector finds what is served there."""
    secret: pulumi.Input[str] = field(repr=False)
    """32 random bytes in base64."""

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("services: name at least one")


class Tunnel(pulumi.ComponentResource):
    """A tunnel with its routes; what no route is for gets a 404 from the edge."""

    address: pulumi.Output[str]
    """What names of the zone point at."""
    token: pulumi.Output[str]
    """What a connector shows, a secret."""

    def __init__(
        self, name: str, args: TunnelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:cloudflare:Tunnel", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        secret = pulumi.Output.secret(args.secret)
        made = ZeroTrustTunnelCloudflared(
            f"{name}-tunnel",
            {
                "accountId": args.account_id,
                "name": args.name,
                "configSrc": "cloudflare",
                "tunnelSecret": secret,
            },
            # Its name is taken once: a second one can't stand beside the first.
            pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        routes = [{"hostname": host, "service": at} for host, at in args.services.items()]
        self.routes = ZeroTrustTunnelCloudflaredConfig(
            f"{name}-routes",
            {
                "accountId": args.account_id,
                "tunnelId": made.id,
                "source": "cloudflare",
                "config": {"ingresses": [*routes, {"service": NOWHERE}]},
            },
            child,
        )
        self.address = made.id.apply(lambda id_: f"{id_}.cfargotunnel.com")
        self.token = pulumi.Output.secret(
            pulumi.Output.all(made.id, secret).apply(
                lambda known: token(args.account_id, known[0], known[1])
            )
        )
        self.register_outputs({"address": self.address, "token": self.token})


def token(account_id: str, tunnel_id: str, secret: str) -> str:
    """Return what ``cloudflared tunnel run`` takes, as Cloudflare itself puts it together."""
    told = json.dumps({"a": account_id, "t": tunnel_id, "s": secret}, separators=(",", ":"))
    return base64.b64encode(told.encode()).decode()
