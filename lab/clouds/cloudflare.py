"""Cloudflare as the lab has it: a zone, an account, and what a program makes in them."""

from __future__ import annotations

from collections.abc import Mapping

from .api import app
from .cloud import Cloud, Effects, Kind, Unique
from .cloudflare_access import ACCESS, whose
from .cloudflare_asked import as_the_program_asks
from .drawing import drawn_hex, now
from .faults import Faults
from .r2 import STORAGE
from .records import Record, Records, Refused, Values
from .tunnels import TUNNELS, tunnel_token

PREFIX = "/client/v4"
ZONE_ID = "1ab0" * 8
ACCOUNT_ID = "acc0" * 8
AUTOMATIC = 1
SHORTEST_TTL, LONGEST_TTL = 60, 86_400
ALIASES = {"A", "AAAA", "CNAME"}


def cloudflare(records: Records, *, domain: str, effects: Effects | None = None) -> Cloud:
    """Return a Cloudflare whose one account owns the zone of ``domain``."""
    cloud = Cloud("cloudflare", KINDS, records, effects=effects, lookups=LOOKUPS)
    if not records.get("Zone", ZONE_ID):
        inputs = {"name": domain, "account": {"id": ACCOUNT_ID}}
        outputs = inputs | _zone(cloud, ZONE_ID, inputs, None)
        records.put(Record(kind="Zone", id=ZONE_ID, inputs=inputs, outputs=outputs))
    return cloud


def api_of(cloud: Cloud, token: str) -> Faults:
    """Return the API of the cloud for the holder of ``token``, to be served below `PREFIX`."""
    return app(cloud, prefix=PREFIX, token=token, also=as_the_program_asks(cloud, ACCOUNT_ID))


def _zone(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    return {
        "account": inputs["account"] | {"name": "lab"},
        "createdOn": before.outputs["createdOn"] if before else now(),
        "nameServers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "paused": inputs.get("paused", False),
        "status": "active",
        "type": inputs.get("type", "full"),
    }


def _check_record(cloud: Cloud, inputs: Values, before: Record | None) -> None:
    ttl = inputs["ttl"]
    if ttl != AUTOMATIC and not SHORTEST_TTL <= ttl <= LONGEST_TTL:
        raise Refused(400, "9021", f"ttl must be 1 or {SHORTEST_TTL} to {LONGEST_TTL}, got {ttl}")
    for other in cloud.records.of("DnsRecord"):
        there = all(other.outputs.get(key) == inputs[key] for key in ("zoneId", "name"))
        types = {other.outputs["type"], inputs["type"]}
        itself = before is not None and other.id == before.id
        if there and not itself and "CNAME" in types and types <= ALIASES:
            said = f"An A, AAAA, or CNAME record with that host already exists: {inputs['name']}"
            raise Refused(400, "81053", said)


def _dns_record(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    created = before.outputs["createdOn"] if before else now()
    return {
        "createdOn": created,
        "modifiedOn": now(),
        "meta": "{}",
        "proxiable": inputs["type"] in ALIASES,
        "proxied": inputs.get("proxied", False),
        "settings": inputs.get("settings", {}),
        "tags": inputs.get("tags", []),
    }


def _find_zone(cloud: Cloud, arguments: Values) -> Values:
    wanted = arguments.get("zoneId"), (arguments.get("filter") or {}).get("name")
    for zone in cloud.records.of("Zone"):
        if zone.id == wanted[0] or (wanted[0] is None and zone.inputs["name"] == wanted[1]):
            told: Values = zone.answer["outputs"]
            return told | {"id": zone.id, "zoneId": zone.id, **arguments}
    raise Refused(404, "not_found", f"no zone {wanted[0] or wanted[1]} that this token may see")


def _find_account(_cloud: Cloud, arguments: Values) -> Values:
    wanted = arguments.get("accountId", ACCOUNT_ID)
    if wanted != ACCOUNT_ID or (arguments.get("filter") or {}).get("name", "lab") != "lab":
        raise Refused(404, "not_found", f"no account {arguments} that this token may see")
    return arguments | {
        "id": ACCOUNT_ID,
        "accountId": ACCOUNT_ID,
        "name": "lab",
        "type": "standard",
    }


def _find_token(cloud: Cloud, arguments: Values) -> Values:
    tunnel = cloud.read("ZeroTrustTunnelCloudflared", arguments["tunnelId"])
    return arguments | {"token": tunnel_token(tunnel)}


def _hex(_cloud: Cloud, _inputs: Values) -> str:
    return drawn_hex(16)


def _setting(_cloud: Cloud, inputs: Values) -> str:
    return f"{inputs['zoneId']}/{inputs['settingId']}"


LOOKUPS = {
    "getZone": _find_zone,
    "getAccount": _find_account,
    "getZeroTrustTunnelCloudflaredToken": _find_token,
}

KINDS: Mapping[str, Kind] = {
    "Zone": Kind(
        identity=_hex,
        computed=_zone,
        unique=(Unique(keys=("name",), status=400, code="1061", message="{name} already exists"),),
    ),
    "DnsRecord": Kind(
        identity=_hex,
        computed=_dns_record,
        check=_check_record,
        parents={"zoneId": "Zone"},
        unique=(
            Unique(
                keys=("zoneId", "name", "type", "content"),
                status=400,
                code="81058",
                message="An identical record already exists: {type} {name}",
            ),
        ),
    ),
    "ZoneSetting": Kind(
        identity=_setting,
        computed=lambda _cloud, _id, _inputs, _before: {"editable": True},
        parents={"zoneId": "Zone"},
        stays=True,
    ),
    "Ruleset": Kind(identity=_hex, check=whose),
    **ACCESS,
    **TUNNELS,
    **STORAGE,
}
