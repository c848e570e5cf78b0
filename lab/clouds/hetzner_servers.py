"""Servers, their volumes, keys and networks."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from .cloud import Cloud, Kind, Unique, named
from .hetzner_networks import LOCATIONS, network_of, private_address, public_address
from .records import Record, Refused, Values

_TYPE = re.compile(r"(cx|cpx|cax|ccx)\d\d")
_NAME = re.compile(r"[a-z0-9A-Z]([a-z0-9A-Z.-]{0,61}[a-z0-9A-Z])?")
SMALLEST_GB, LARGEST_GB = 10, 10_240
DISK_GB = 40


def check_location(inputs: Values) -> None:
    """Refuse a location that Hetzner does not have."""
    if inputs.get("location", "fsn1") not in LOCATIONS:
        raise Refused(422, "invalid_input", f"location: unknown: {inputs['location']}")


def _check_server(cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    check_location(inputs)
    if not _NAME.fullmatch(inputs["name"]):
        raise Refused(422, "invalid_input", f"name: no valid hostname: {inputs['name']}")
    if not _TYPE.fullmatch(inputs["serverType"]):
        raise Refused(422, "invalid_input", f"server_type: unknown: {inputs['serverType']}")
    if inputs.get("deleteProtection", False) != inputs.get("rebuildProtection", False):
        raise Refused(422, "invalid_input", "delete and rebuild protection must be the same")
    for key in inputs.get("sshKeys", []):
        if not ssh_key(cloud, key):
            raise Refused(422, "invalid_input", f"ssh_keys: unknown: {key}")
    group = inputs.get("placementGroupId")
    if group is not None:
        cloud.read("PlacementGroup", str(group))


def ssh_key(cloud: Cloud, wanted: str) -> Record | None:
    """Return a key by its id or by its name, as Hetzner finds it."""
    found = cloud.records.get("SshKey", wanted)
    return found or cloud.records.find("SshKey", {"name": wanted})


def _server(cloud: Cloud, id_: str, inputs: Values, before: Record | None) -> Values:
    outputs = {
        "networks": _joined(cloud, id_, inputs, before),
        "firewallIds": inputs.get("firewallIds", []),
    }
    if before:
        return outputs
    public = public_address(cloud)
    last = int(public.rpartition(".")[2])
    location = inputs.get("location", "fsn1")
    return outputs | {
        "ipv4Address": public,
        "ipv6Address": f"2001:db8:{last:x}::1",
        "ipv6Network": f"2001:db8:{last:x}::/64",
        "location": location,
        "datacenter": f"{location}-dc1",
        "primaryDiskSize": DISK_GB,
        "status": "running",
    }


def _joined(cloud: Cloud, id_: str, inputs: Values, before: Record | None) -> list[Values]:
    """Return what a server has in each of its networks; what it has already it keeps."""
    had = {n["ip"]: n for n in before.outputs.get("networks", [])} if before else {}
    joined = []
    for place, wanted in enumerate(inputs.get("networks", [])):
        if wanted.get("ip") in had:
            joined.append(had[wanted["ip"]] | wanted)
            continue
        network, subnet = network_of(cloud, wanted)
        joined.append(
            {
                "networkId": int(network.id),
                "ip": private_address(cloud, network, subnet, wanted.get("ip")),
                "aliasIps": [],
                "macAddress": mac(id_, place),
                **{key: value for key, value in wanted.items() if key != "ip"},
            }
        )
    return joined


def mac(server: str, place: int) -> str:
    """Return the hardware address of a server in its n-th network; always the same."""
    digest = hashlib.sha256(f"{server}/{place}".encode()).hexdigest()
    return "86:00:" + ":".join(digest[i : i + 2] for i in range(0, 8, 2))


def _server_network(cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    network, subnet = network_of(cloud, inputs)
    kept = before.outputs["ip"] if before else None
    return {
        "networkId": int(network.id),
        "ip": kept or private_address(cloud, network, subnet, inputs.get("ip")),
        "macAddress": mac(str(inputs["serverId"]), 0),
        "aliasIps": inputs.get("aliasIps", []),
    }


def _ssh_key(_cloud: Cloud, _id: str, inputs: Values, _before: Record | None) -> Values:
    digest = hashlib.md5(base64.b64decode(inputs["publicKey"].split()[1]), usedforsecurity=False)
    return {"fingerprint": digest.digest().hex(":"), "labels": inputs.get("labels", {})}


def _check_key(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    words = inputs["publicKey"].split()
    try:
        base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        raise Refused(422, "invalid_input", "public_key: no OpenSSH key") from None


def _volume(_cloud: Cloud, id_: str, inputs: Values, before: Record | None) -> Values:
    location = before.outputs["location"] if before else "fsn1"
    return {
        "linuxDevice": f"/dev/disk/by-id/scsi-0HC_Volume_{id_}",
        "location": inputs.get("location", location),
    }


def _check_volume(_cloud: Cloud, inputs: Values, before: Record | None) -> None:
    check_location(inputs)
    if not SMALLEST_GB <= inputs["size"] <= LARGEST_GB:
        said = f"size: {SMALLEST_GB} to {LARGEST_GB} GB, got {inputs['size']}"
        raise Refused(422, "invalid_input", said)
    if inputs.get("format", "ext4") not in ("ext4", "xfs"):
        raise Refused(422, "invalid_input", f"format: ext4 or xfs, got {inputs['format']}")
    if before and inputs["size"] < before.outputs["size"]:
        raise Refused(422, "invalid_input", "size: a volume cannot shrink")


def _check_attachment(cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    server = cloud.read("Server", str(inputs["serverId"]))
    volume = cloud.read("Volume", str(inputs["volumeId"]))
    if server.outputs["location"] != volume.outputs["location"]:
        raise Refused(422, "invalid_input", "server and volume must be in the same location")


SERVERS: Mapping[str, Kind] = {
    "Server": Kind(unique=named("server"), computed=_server, check=_check_server),
    "ServerNetwork": Kind(
        identity=lambda cloud, inputs: f"{inputs['serverId']}-{network_of(cloud, inputs)[0].id}",
        computed=_server_network,
        parents={"serverId": "Server", "networkId": "Network", "subnetId": "NetworkSubnet"},
    ),
    "SshKey": Kind(
        unique=(
            *named("SSH key"),
            Unique(
                keys=("publicKey",),
                status=409,
                code="uniqueness_error",
                message="SSH key with the same fingerprint already exists",
            ),
        ),
        computed=_ssh_key,
        check=_check_key,
    ),
    "Volume": Kind(unique=named("volume"), computed=_volume, check=_check_volume),
    "VolumeAttachment": Kind(
        identity=lambda _cloud, inputs: str(inputs["volumeId"]),
        check=_check_attachment,
        parents={"serverId": "Server", "volumeId": "Volume"},
    ),
}
