"""Hetzner Cloud as the lab has it: what it gives out, what it refuses, what belongs to what.

Kept as records alone, and so without any effect: firewalls, placement groups, floating and primary
addresses, reverse DNS, DNS zones, storage boxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from .api import app
from .cloud import Cloud, Effects, Kind, named
from .faults import Faults
from .hetzner_balancers import BALANCERS
from .hetzner_networks import NETWORKS
from .hetzner_servers import SERVERS
from .records import Record, Records, Refused, Values

PREFIX = "/v1"


def hetzner(records: Records, *, project: str, effects: Effects | None = None) -> Cloud:
    """Return a project at Hetzner that is known by its marker, a placement group."""
    cloud = Cloud("hcloud", KINDS, records, effects=effects)
    marker = {"name": f"project-{project}", "type": "spread"}
    if not records.find("PlacementGroup", marker):
        number = str(records.number())
        outputs: Values = marker | {"servers": []}
        records.put(Record(kind="PlacementGroup", id=number, inputs=marker, outputs=outputs))
    return cloud


def api_of(cloud: Cloud, token: str) -> Faults:
    """Return the API of the cloud for the holder of ``token``, to be served below `PREFIX`."""
    return app(cloud, prefix=PREFIX, token=token, also=_as_the_guard_asks(cloud))


def _as_the_guard_asks(cloud: Cloud) -> APIRouter:
    """Return the call of the real API that the fingerprint guard makes."""
    router = APIRouter()

    @router.get("/placement_groups")
    def placement_groups(name: str) -> Mapping[str, Any]:
        found = [g for g in cloud.records.of("PlacementGroup") if g.inputs["name"] == name]
        return {"placement_groups": [{"id": int(g.id), "name": name} for g in found]}

    return router


def _check_firewall(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    for rule in inputs.get("rules", []):
        if rule["protocol"] in ("tcp", "udp") and not rule.get("port"):
            raise Refused(422, "invalid_input", f"rules: {rule['protocol']} needs a port")


def _check_zone(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    if inputs["mode"] not in ("primary", "secondary"):
        raise Refused(422, "invalid_input", f"mode: primary or secondary, got {inputs['mode']}")


def _attached(name: str, parent: str, *more: tuple[str, str]) -> Kind:
    """Return a kind whose id is that of what it is attached to."""
    return Kind(
        identity=lambda _cloud, inputs: str(inputs[name]), parents={name: parent, **dict(more)}
    )


KINDS: Mapping[str, Kind] = {
    **NETWORKS,
    **SERVERS,
    **BALANCERS,
    "Firewall": Kind(unique=named("firewall"), check=_check_firewall),
    "FirewallAttachment": _attached("firewallId", "Firewall"),
    "PlacementGroup": Kind(unique=named("placement group")),
    "PrimaryIp": Kind(unique=named("primary IP")),
    "FloatingIp": Kind(unique=named("floating IP")),
    "FloatingIpAssignment": _attached("floatingIpId", "FloatingIp", ("serverId", "Server")),
    "Rdns": Kind(),
    "Zone": Kind(unique=named("zone"), check=_check_zone),
    "ZoneRrset": Kind(
        identity=lambda _cloud, inputs: f"{inputs['zone']}/{inputs['name']}/{inputs['type']}"
    ),
    "StorageBox": Kind(unique=named("storage box")),
    "StorageBoxSubaccount": Kind(parents={"storageBoxId": "StorageBox"}),
}
