"""The machines of each role make a group that can decide, and only databases hold data."""

from __future__ import annotations

from collections.abc import Iterator

from ..faults import Fault, key
from ..sections import Hetzner, Kubernetes, Machines, Network, Platform, Role


def _names(machines: Machines, role: Role) -> list[str]:
    return [name for name, machine in machines.items() if machine.role is role]


def no_k3s_server(all_machines: Machines) -> Iterator[Fault]:
    """A cluster has at least one server."""
    if not _names(all_machines, Role.K3S_SERVER):
        yield Fault(("machines",), "has no machine of role k3s-server", "1, 3 or 5 of them")


def even_k3s_servers(all_machines: Machines) -> Iterator[Fault]:
    """etcd's majority wants an odd number of servers."""
    names = _names(all_machines, Role.K3S_SERVER)
    if names and len(names) % 2 == 0:
        wrong = f"has {len(names)} machines of role k3s-server ({', '.join(names)})"
        yield Fault(("machines",), wrong, "an odd number: one fewer survives as many losses")


def even_database_machines(all_machines: Machines) -> Iterator[Fault]:
    """The databases' own etcd wants an odd number of them."""
    names = _names(all_machines, Role.DATABASE)
    if names and len(names) % 2 == 0:
        wrong = f"has {len(names)} machines of role database ({', '.join(names)})"
        yield Fault(("machines",), wrong, "3 or 5, so that a majority decides who leads")


def lone_database_machine(all_machines: Machines) -> Iterator[Fault]:
    """A commit is on two machines before it is acknowledged, and one may fail."""
    names = _names(all_machines, Role.DATABASE)
    if len(names) == 1:
        wrong = f"has one machine of role database ({names[0]})"
        yield Fault(("machines",), wrong, "3 or 5, so that one can fail")


def database_address_missing(network: Network, all_machines: Machines) -> Iterator[Fault]:
    """Applications connect to the database's virtual address, never to a machine."""
    if _names(all_machines, Role.DATABASE) and not network.database_address:
        wrong = "is missing, but there are machines of role database"
        yield Fault(("network", "database_address"), wrong, "their virtual address")


def application_address_missing(
    network: Network, platform: Platform, hetzner: Hetzner | None = None
) -> Iterator[Fault]:
    """The tunnel leads to one address of the application: its own, or a load balancer's."""
    if network.application_address or (hetzner and hetzner.load_balancer):
        return
    if platform is Platform.PROXMOX:
        wrong = f"is missing, but {key('platform')} is proxmox"
        yield Fault(("network", "application_address"), wrong, "the application's virtual address")
    elif hetzner:
        wrong = f"is missing, and so is {key('network', 'application_address')}"
        yield Fault(("hetzner", "load_balancer"), wrong, "where the tunnel is to lead")


def priority_missing(machines: Machines) -> Iterator[Fault]:
    """Every database machine knows its rank."""
    for name, machine in machines.items():
        if machine.role is Role.DATABASE and machine.priority is None:
            path = ("machines", name, "priority")
            yield Fault(path, "is missing on a database machine", "a number from 1 to 254")


def priority_without_database(machines: Machines) -> Iterator[Fault]:
    """A rank is for database machines only."""
    for name, machine in machines.items():
        if machine.role is not Role.DATABASE and machine.priority is not None:
            wrong = f"{machine.priority} is given to a machine of role {machine.role}"
            yield Fault(("machines", name, "priority"), wrong, "none: only databases have one")


def priorities_equal(machines: Machines) -> Iterator[Fault]:
    """Equal ranks would leave the preferred primary to chance."""
    owners: dict[int, str] = {}
    for name, machine in machines.items():
        if machine.role is not Role.DATABASE or machine.priority is None:
            continue
        owner = owners.setdefault(machine.priority, name)
        if owner != name:
            wrong = f"{machine.priority} is already {key('machines', owner, 'priority')}"
            yield Fault(("machines", name, "priority"), wrong, "a rank of its own")


def data_disk_missing(machines: Machines) -> Iterator[Fault]:
    """A database's data is on a disk that survives its machine."""
    for name, machine in machines.items():
        if machine.role is Role.DATABASE and machine.data_disk_gib is None:
            path = ("machines", name, "data_disk_gib")
            yield Fault(path, "is missing on a database machine", "a size of 10 or more")


def data_disk_without_owner(machines: Machines, platform: Platform) -> Iterator[Fault]:
    """On Proxmox a data disk belongs to a VM of its own."""
    for name, machine in machines.items():
        if platform is not Platform.PROXMOX or not machine.proxmox:
            continue
        if machine.data_disk_gib is not None and machine.proxmox.data_vm_id is None:
            disk = f"{machine.data_disk_gib} of {key('machines', name, 'data_disk_gib')}"
            path = ("machines", name, "proxmox", "data_vm_id")
            yield Fault(path, f"is missing beside {disk}", "the id of the VM that owns the disk")


def data_owner_without_disk(machines: Machines) -> Iterator[Fault]:
    """A VM that owns a data disk has one to own."""
    for name, machine in machines.items():
        owner = machine.proxmox.data_vm_id if machine.proxmox else None
        # A database machine without a disk has been told already.
        if (
            owner is not None
            and machine.data_disk_gib is None
            and machine.role is not Role.DATABASE
        ):
            wrong = (
                f"{owner} owns no disk, since {key('machines', name, 'data_disk_gib')} is missing"
            )
            path = ("machines", name, "proxmox", "data_vm_id")
            yield Fault(path, wrong, "both of them, or none")


def cluster_networks_overlap(kubernetes: Kubernetes, network: Network) -> Iterator[Fault]:
    """Pods, services and machines have networks apart."""
    taken = {key("network", "cidr"): network.cidr}
    for name in ("cluster_cidr", "service_cidr"):
        cidr = getattr(kubernetes, name)
        for place, other in taken.items():
            if cidr.overlaps(other):
                wrong = f"{cidr} overlaps {other} of {place}"
                yield Fault(("kubernetes", name), wrong, "a network apart")
        taken[key("kubernetes", name)] = cidr
