"""Private networks, their subnets and routes, and the addresses that are given out of them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from .cloud import Cloud, Kind, named
from .records import Record, Refused, Values

PUBLIC = IPv4Network("198.51.100.0/24")
"""What the lab calls public: addresses for documentation, which lead nowhere."""

ZONES = {"eu-central", "us-east", "us-west", "ap-southeast"}
LOCATIONS = {"fsn1", "nbg1", "hel1", "ash", "hil", "sin"}


def gateway(network: IPv4Network) -> IPv4Address:
    """Return the address that Hetzner itself has in a network: its first."""
    return network[1]


def range_of(network: Record) -> IPv4Network:
    """Return the addresses of a network."""
    return IPv4Network(network.outputs["ipRange"])


def network_of(cloud: Cloud, wanted: Values) -> tuple[Record, IPv4Network]:
    """Return the network, and the range for addresses, that a subnet's or network's id means."""
    if wanted.get("subnetId"):
        subnet = cloud.read("NetworkSubnet", wanted["subnetId"])
        network = cloud.read("Network", str(subnet.inputs["networkId"]))
        return network, IPv4Network(subnet.inputs["ipRange"])
    network = cloud.read("Network", str(wanted["networkId"]))
    subnets = [
        s for s in cloud.records.of("NetworkSubnet") if str(s.inputs["networkId"]) == network.id
    ]
    if not subnets:
        raise Refused(422, "invalid_input", f"network {network.id} has no subnet")
    return network, IPv4Network(subnets[0].inputs["ipRange"])


def private_address(cloud: Cloud, network: Record, subnet: IPv4Network, wanted: str | None) -> str:
    """Return a free address of a subnet, the wanted one if there is one."""
    used = {IPv4Address(address) for address in _used(cloud, network.id)}
    used |= {gateway(range_of(network)), subnet.network_address, subnet.broadcast_address}
    if wanted is None:
        return str(next(address for address in subnet.hosts() if address not in used))
    if ip_address(wanted) not in subnet:
        raise Refused(422, "invalid_input", f"ip {wanted} is outside of subnet {subnet}")
    if ip_address(wanted) in used:
        raise Refused(409, "ip_not_available", f"ip {wanted} is not available in {subnet}")
    return wanted


def public_address(cloud: Cloud) -> str:
    """Return a public address that nobody has."""
    used = {record.outputs["ipv4Address"] for record in cloud.records.of("Server")}
    used |= {record.outputs["ipv4"] for record in cloud.records.of("LoadBalancer")}
    return next(str(a) for a in list(PUBLIC.hosts())[9:] if str(a) not in used)


def _used(cloud: Cloud, network: str) -> set[str]:
    found = {
        joined["ip"]
        for server in cloud.records.of("Server")
        for joined in server.outputs.get("networks", [])
        if str(joined["networkId"]) == network
    }
    for kind in ("ServerNetwork", "LoadBalancerNetwork"):
        for joined in cloud.records.of(kind):
            if str(joined.outputs["networkId"]) == network:
                found.add(joined.outputs["ip"])
    return found


def _check_subnet(cloud: Cloud, inputs: Values, before: Record | None) -> None:
    network = range_of(cloud.read("Network", str(inputs["networkId"])))
    subnet = ip_network(inputs["ipRange"])
    if inputs["networkZone"] not in ZONES:
        raise Refused(422, "invalid_input", f"unknown network zone: {inputs['networkZone']}")
    if not isinstance(subnet, IPv4Network) or not subnet.subnet_of(network):
        raise Refused(422, "invalid_input", f"ip_range {subnet} is outside of {network}")
    for other in cloud.records.of("NetworkSubnet"):
        same = other.inputs["networkId"] == inputs["networkId"]
        itself = before is not None and before.id == other.id
        if same and not itself and subnet.overlaps(IPv4Network(other.inputs["ipRange"])):
            raise Refused(409, "conflict", f"{subnet} overlaps {other.inputs['ipRange']}")


def _subnet(cloud: Cloud, _id: str, inputs: Values, _before: Record | None) -> Values:
    network = range_of(cloud.read("Network", str(inputs["networkId"])))
    return {"gateway": str(gateway(network))}


NETWORKS: Mapping[str, Kind] = {
    "Network": Kind(unique=named("network")),
    "NetworkSubnet": Kind(
        identity=lambda _cloud, inputs: f"{inputs['networkId']}-{inputs['ipRange']}",
        computed=_subnet,
        check=_check_subnet,
        parents={"networkId": "Network"},
    ),
    "NetworkRoute": Kind(
        identity=lambda _cloud, inputs: f"{inputs['networkId']}-{inputs['destination']}",
        parents={"networkId": "Network"},
    ),
}
