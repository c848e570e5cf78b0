"""Stacks that share a host, an account or a domain do not take from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ..faults import Fault, Path, key, stack_file
from ..sections import (
    UNPINNED,
    Application,
    Backups,
    Cloudflare,
    Database,
    Environment,
    Kubernetes,
    Machines,
    Network,
    Platform,
    Proxmox,
)

_NO_MACHINES: Machines = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """Another stack file beside this one: as much of it as could be read."""

    stack: str
    environment: Environment | None = None
    platform: Platform | None = None
    proxmox: Proxmox | None = None
    network: Network | None = None
    machines: Machines = field(default_factory=lambda: _NO_MACHINES)
    database: Database | None = None
    cloudflare: Cloudflare | None = None
    application: Application | None = None
    backups: Backups | None = None
    kubernetes: Kubernetes | None = None
    faults: tuple[Fault, ...] = ()
    """What could not be read, so that nothing is compared with it."""

    def place(self, *path: str | int) -> str:
        """Return a key of this stack as messages name it."""
        return f"{key(*path)} of {stack_file(self.stack)}"

    def shares_host(self, proxmox: Proxmox, network: Network) -> bool:
        """Tell whether this stack is on the same Proxmox host (or cluster).

        The same endpoint is; so is a node of the same name and size in the same network, since
        one host may be reached at two endpoints, and half of all hosts are called ``pve``.
        """
        if self.platform is not Platform.PROXMOX or not self.proxmox:
            return False
        same_network = self.network is not None and self.network.cidr == network.cidr
        same_node = any(
            self.proxmox.nodes.get(name) == node for name, node in proxmox.nodes.items()
        )
        same_endpoint = (self.proxmox.endpoint.host, self.proxmox.endpoint.port) == (
            proxmox.endpoint.host,
            proxmox.endpoint.port,
        )
        return same_endpoint or (same_network and same_node)

    def addresses(self) -> Mapping[str, str]:
        """Return where this stack uses each of its addresses."""
        virtual = {
            self.place("network", name): getattr(self.network, name, None)
            for name in ("application_address", "database_address", "api_address")
        }
        of_machines = {
            self.place("machines", name, "address"): machine.address
            for name, machine in self.machines.items()
        }
        used = {**virtual, **of_machines}
        return {str(address): place for place, address in used.items() if address}

    def hostname(self, portal: str) -> str | None:
        """Return the hostname of a portal, if it could be read."""
        return getattr(getattr(self.application, portal, None), "hostname", None)

    def vm_ids(self) -> Mapping[int, str]:
        """Return where this stack uses each of its VM ids."""
        return {vm_id: self.place(*path) for path, vm_id in _vm_ids(self.machines).items()}


def _vm_ids(machines: Machines) -> dict[Path, int]:
    return {
        ("machines", name, "proxmox", field): vm_id
        for name, machine in machines.items()
        for field in ("vm_id", "data_vm_id")
        if (vm_id := getattr(machine.proxmox, field, None)) is not None
    }


def neighbour_not_compared(neighbours: Sequence[Neighbour]) -> Iterator[Fault]:
    """What another stack file says badly can't be compared with."""
    for other in neighbours:
        for fault in other.faults:
            wrong = f"is not compared with {stack_file(other.stack)}, where it {_said(fault)}"
            yield Fault(fault.path, wrong, f"{fault.expected} there")


def _said(fault: Fault) -> str:
    return fault.wrong if fault.wrong.startswith("is ") else f"says that {fault.wrong}"


def node_facts_differ(proxmox: Proxmox, same_host: Sequence[Neighbour]) -> Iterator[Fault]:
    """Stacks on one host agree on what its nodes have."""
    for other in same_host:
        nodes = other.proxmox.nodes if other.proxmox else {}
        for name, node in proxmox.nodes.items():
            if name in nodes and nodes[name] != node:
                wrong = f"differs from {other.place('proxmox', 'nodes', name)}"
                yield Fault(("proxmox", "nodes", name), wrong, "what the host has, in both")


def vm_id_of_another_stack(machines: Machines, same_host: Sequence[Neighbour]) -> Iterator[Fault]:
    """A VM id of the host is used by one stack."""
    for other in same_host:
        taken = other.vm_ids()
        for path, vm_id in _vm_ids(machines).items():
            if vm_id in taken:
                yield Fault(path, f"{vm_id} is already {taken[vm_id]}", "an id of its own")


def address_of_another_stack(machines: Machines, same_host: Sequence[Neighbour]) -> Iterator[Fault]:
    """A machine's address is used by one stack."""
    for other in same_host:
        taken = other.addresses()
        for name, machine in machines.items():
            if place := taken.get(str(machine.address)):
                path = ("machines", name, "address")
                yield Fault(path, f"{machine.address} is already {place}", "a free address")


def virtual_address_of_another_stack(
    network: Network, same_host: Sequence[Neighbour]
) -> Iterator[Fault]:
    """A virtual address is used by one stack."""
    for other in same_host:
        taken = other.addresses()
        for name in ("application_address", "database_address", "api_address"):
            address = getattr(network, name)
            if place := taken.get(str(address)):
                yield Fault(("network", name), f"{address} is already {place}", "a free address")


def virtual_router_id_of_another_stack(
    database: Database, same_host: Sequence[Neighbour]
) -> Iterator[Fault]:
    """Two keepalived clusters with one id in one network would fight."""
    path = ("database", "virtual_router_id")
    for other in same_host:
        if other.database and other.database.virtual_router_id == database.virtual_router_id:
            wrong = f"{database.virtual_router_id} is already {other.place(*path)}"
            yield Fault(path, wrong, "an id of its own")


def bucket_of_another_stack(
    cloudflare: Cloudflare,
    backups: Backups,
    kubernetes: Kubernetes,
    neighbours: Sequence[Neighbour],
) -> Iterator[Fault]:
    """Two stacks never write their backups over each other's."""
    others = [
        (bucket, other.place(*path))
        for other in neighbours
        if _same_account(cloudflare, other)
        for path, bucket in _buckets(other.backups, other.kubernetes)
    ]
    for path, bucket in _buckets(backups, kubernetes):
        for taken, place in others:
            if taken == bucket:
                yield Fault(path, f"{bucket} is already {place}", "a bucket of its own")


def _buckets(backups: Backups | None, kubernetes: Kubernetes | None) -> Iterator[tuple[Path, str]]:
    if backups:
        yield ("backups", "bucket"), backups.bucket
    if kubernetes and kubernetes.snapshots:
        yield ("kubernetes", "snapshots", "bucket"), kubernetes.snapshots.bucket


def tunnel_of_another_stack(
    cloudflare: Cloudflare, neighbours: Sequence[Neighbour]
) -> Iterator[Fault]:
    """A tunnel's name is used once in an account."""
    path = ("cloudflare", "tunnel", "name")
    for other in neighbours:
        same = _same_account(cloudflare, other) and other.cloudflare
        if same and same.tunnel.name == cloudflare.tunnel.name:
            wrong = f"{cloudflare.tunnel.name} is already {other.place(*path)}"
            yield Fault(path, wrong, "a name of its own")


def _same_account(cloudflare: Cloudflare, other: Neighbour) -> bool:
    """Tell whether both use one account; one that nobody has confirmed may well be the other."""
    if not other.cloudflare:
        return False
    accounts = {cloudflare.account_id, other.cloudflare.account_id}
    return len(accounts) == 1 or UNPINNED in accounts


def domain_of_another_stack(
    environment: Environment, neighbours: Sequence[Neighbour]
) -> Iterator[Fault]:
    """A domain is served by one stack."""
    for other in neighbours:
        if other.environment and other.environment.domain == environment.domain:
            wrong = f"{environment.domain} is already {other.place('environment', 'domain')}"
            yield Fault(("environment", "domain"), wrong, "a domain of its own")


def hostname_of_another_stack(
    application: Application, neighbours: Sequence[Neighbour]
) -> Iterator[Fault]:
    """A name in the DNS leads to one stack."""
    for other in neighbours:
        for portal in ("employee", "customer"):
            hostname = getattr(application, portal).hostname
            theirs = [p for p in ("employee", "customer") if other.hostname(p) == hostname]
            if theirs:
                place = other.place("application", theirs[0], "hostname")
                path = ("application", portal, "hostname")
                yield Fault(path, f"{hostname} is already {place}", "a name of its own")
