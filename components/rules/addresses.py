"""Every address belongs to the network, and to one owner."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from ..faults import Fault, Path, key
from ..sections import Hetzner, Machines, Network, Proxmox

_GATEWAY: Path = ("network", "gateway")
_LOAD_BALANCER: Path = ("hetzner", "load_balancer", "address")


def _of_machines(machines: Machines) -> dict[Path, IPv4Address]:
    return {("machines", name, "address"): m.address for name, m in machines.items()}


def _virtual(network: Network) -> dict[Path, IPv4Address]:
    wanted = {
        "application_address": network.application_address,
        "database_address": network.database_address,
        "api_address": network.api_address,
    }
    return {("network", name): address for name, address in wanted.items() if address}


def address_outside_network(network: Network, machines: Machines) -> Iterator[Fault]:
    """Every address, the gateway's too, is one of the network."""
    used = {_GATEWAY: network.gateway, **_virtual(network), **_of_machines(machines)}
    for path, address in used.items():
        if address not in network.cidr:
            wrong = f"{address} is outside {network.cidr}"
            yield Fault(path, wrong, f"an address of {key('network', 'cidr')}")


def network_or_broadcast_address(network: Network, machines: Machines) -> Iterator[Fault]:
    """The first and the last address of a network belong to nobody."""
    unusable = {
        network.cidr.network_address: "the network itself",
        network.cidr.broadcast_address: "the broadcast address",
    }
    used = {_GATEWAY: network.gateway, **_virtual(network), **_of_machines(machines)}
    for path, address in used.items():
        if address in unusable:
            wrong = f"{address} is {unusable[address]} of {network.cidr}"
            yield Fault(path, wrong, "an address between the first and the last")


def address_used_twice(machines: Machines) -> Iterator[Fault]:
    """No two machines have one address."""
    owners: dict[IPv4Address, Path] = {}
    for path, address in _of_machines(machines).items():
        owner = owners.setdefault(address, path)
        if owner != path:
            wrong = f"{address} is already {key(*owner)}"
            yield Fault(path, wrong, "an address of its own")


def virtual_address_of_a_machine(network: Network, machines: Machines) -> Iterator[Fault]:
    """A virtual address moves between machines, so it is none of theirs."""
    owners = {address: path for path, address in _of_machines(machines).items()}
    for path, address in _virtual(network).items():
        if address in owners:
            wrong = f"{address} is already {key(*owners[address])}"
            yield Fault(path, wrong, "an address that no machine has")


def virtual_addresses_equal(network: Network) -> Iterator[Fault]:
    """The application, the database and the Kubernetes API are reached at different addresses."""
    owners: dict[IPv4Address, Path] = {}
    for path, address in _virtual(network).items():
        owner = owners.setdefault(address, path)
        if owner != path:
            yield Fault(path, f"{address} is already {key(*owner)}", "an address of its own")


def gateway_used(network: Network, machines: Machines) -> Iterator[Fault]:
    """The gateway's address is the router's."""
    for path, address in {**_virtual(network), **_of_machines(machines)}.items():
        if address == network.gateway:
            wrong = f"{address} is already {key(*_GATEWAY)}"
            yield Fault(path, wrong, "an address that is not the router's")


def address_of_the_host(network: Network, machines: Machines, proxmox: Proxmox) -> Iterator[Fault]:
    """The Proxmox host's own address is not given away."""
    for path, address in {**_virtual(network), **_of_machines(machines)}.items():
        if str(address) == proxmox.endpoint.host:
            wrong = f"{address} is already the host of {key('proxmox', 'endpoint')}"
            yield Fault(path, wrong, "an address that is not the host's")


def open_to_the_world(network: Network) -> Iterator[Fault]:
    """SSH and the Kubernetes API are reached from known networks."""
    for position, operators in enumerate(network.operators):
        if operators.prefixlen == 0:
            wrong = f"{operators} lets everyone reach SSH and the Kubernetes API"
            yield Fault(("network", "operators", position), wrong, "the networks of operators")


def subnet_outside_network(network: Network, hetzner: Hetzner) -> Iterator[Fault]:
    """Hetzner makes a subnet only inside its network."""
    if not hetzner.subnet.subnet_of(network.cidr):
        wrong = f"{hetzner.subnet} is not a part of {network.cidr}"
        yield Fault(("hetzner", "subnet"), wrong, f"a part of {key('network', 'cidr')}")


def address_outside_subnet(
    network: Network, machines: Machines, hetzner: Hetzner
) -> Iterator[Fault]:
    """Hetzner gives a server or a load balancer an address of the subnet only."""
    used = _of_machines(machines)
    if hetzner.load_balancer:
        used[_LOAD_BALANCER] = hetzner.load_balancer.address
    for path, address in used.items():
        # What is outside the whole network has been told already.
        if address not in hetzner.subnet and (address in network.cidr or path == _LOAD_BALANCER):
            wrong = f"{address} is outside {hetzner.subnet}"
            yield Fault(path, wrong, f"an address of {key('hetzner', 'subnet')}")


def load_balancer_address_used(
    network: Network, machines: Machines, hetzner: Hetzner
) -> Iterator[Fault]:
    """The load balancer has an address of its own."""
    used = {_GATEWAY: network.gateway, **_virtual(network), **_of_machines(machines)}
    owners = {address: path for path, address in used.items()}
    if hetzner.load_balancer and hetzner.load_balancer.address in owners:
        address = hetzner.load_balancer.address
        wrong = f"{address} is already {key(*owners[address])}"
        yield Fault(_LOAD_BALANCER, wrong, "an address of its own")
