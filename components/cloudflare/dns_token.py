"""A token that changes the records of one zone, and nothing else: it proves whose a name is."""

from __future__ import annotations

import json

import pulumi

from ..settings import Settings
from .resources import AccountToken

_DNS_WRITE = "4755a26eedb94da69e1066d98aa820be"
_ZONE_READ = "c8fed203ed3043cba015a93ad1616f1f"
"""Cloudflare's ids of the permissions "DNS Write" and "Zone Read"."""


def dns_token_of(settings: Settings, opts: pulumi.ResourceOptions) -> pulumi.Output[str] | None:
    """Return the token, where certificates are wanted."""
    if settings.certificates is None:
        return None
    wanted = settings.cloudflare
    token = AccountToken(
        "certificates-token",
        {
            "accountId": wanted.account_id,
            "name": f"{settings.environment.domain} certificates",
            "policies": [
                {
                    "effect": "allow",
                    "permissionGroups": [{"id": _DNS_WRITE}, {"id": _ZONE_READ}],
                    "resources": json.dumps(
                        {f"com.cloudflare.api.account.zone.{wanted.zone_id}": "*"}
                    ),
                }
            ],
        },
        opts,
    )
    return pulumi.Output.secret(token.value)
