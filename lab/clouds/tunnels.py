"""Tunnels, what they lead to, and the token that a connector needs to hold one open."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping

from .cloud import Cloud, Kind, Unique
from .drawing import drawn_uuid, now
from .records import Record, Refused, Values

CATCHES_ALL = "ingress: the last rule must match everything, without hostname and path"


def tunnel_token(tunnel: Record) -> str:
    """Return what ``cloudflared tunnel run --token`` takes."""
    told = {"a": tunnel.inputs["accountId"], "t": tunnel.id, "s": tunnel.outputs["_secret"]}
    return base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def _tunnel(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    drawn = before.outputs["_secret"] if before else base64.b64encode(secrets.token_bytes(32))
    known = drawn if isinstance(drawn, str) else drawn.decode()
    return {
        "_secret": inputs.get("tunnelSecret", known),
        "accountTag": inputs["accountId"],
        "configSrc": inputs.get("configSrc", "local"),
        "createdAt": before.outputs["createdAt"] if before else now(),
        "metadata": "{}",
        "remoteConfig": inputs.get("configSrc") == "cloudflare",
        # Of the moment it is made: else every refresh would find a change.
        "status": "inactive",
        "tunType": "cfd_tunnel",
    }


def _configuration(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    return {
        "config": inputs.get("config", {}),
        "createdAt": now(),
        "source": inputs.get("source", "cloudflare"),
        "version": before.outputs["version"] + 1 if before else 0,
    }


def _check_configuration(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    rules = inputs.get("config", {}).get("ingresses", [])
    if rules and (rules[-1].get("hostname", "*") not in ("", "*") or rules[-1].get("path")):
        raise Refused(400, "1055", CATCHES_ALL)


TUNNELS: Mapping[str, Kind] = {
    "ZeroTrustTunnelCloudflared": Kind(
        identity=drawn_uuid,
        computed=_tunnel,
        unique=(
            Unique(
                keys=("accountId", "name"),
                status=409,
                code="1013",
                message="You already have a tunnel with this name: {name}",
            ),
        ),
    ),
    "ZeroTrustTunnelCloudflaredConfig": Kind(
        identity=lambda _cloud, inputs: str(inputs["tunnelId"]),
        computed=_configuration,
        check=_check_configuration,
        parents={"tunnelId": "ZeroTrustTunnelCloudflared"},
        stays=True,
    ),
    "ZeroTrustTunnelCloudflaredRoute": Kind(
        identity=drawn_uuid,
        computed=lambda _cloud, _id, _inputs, before: (
            {} if before else {"createdAt": now(), "virtualNetworkId": drawn_uuid()}
        ),
        parents={"tunnelId": "ZeroTrustTunnelCloudflared"},
        unique=(
            Unique(
                keys=("accountId", "network"),
                status=409,
                code="1014",
                message="You already have a route for {network}",
            ),
        ),
    ),
}
