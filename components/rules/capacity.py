"""The machines fit their node, together with those of the other stacks on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..faults import Fault, key, stack_file
from ..sections import Machine, Machines, Proxmox, Redis, Role
from .neighbours import Neighbour

_VCPUS_PER_CORE = 4
"""Above this, machines wait for each other at work that is not exceptional."""
_MIB_PER_GIB = 1024
_CACHE_IS_AT_MOST_ONE_IN = 4

Guest = tuple[str, str, Machine]
"""A machine with its name and stack; this stack has no name here."""
Size = tuple[str, str, int]


def too_many_cores(proxmox: Proxmox, machines: Machines) -> Iterator[Fault]:
    """No machine has more cores than its node."""
    for name, machine in machines.items():
        on = machine.proxmox
        node = proxmox.nodes.get(on.node) if on else None
        if on and node and on.cores > node.cores:
            wrong = f"{on.cores} is more than {on.node} has"
            path = ("machines", name, "proxmox", "cores")
            yield Fault(path, wrong, f"at most {node.cores}")


def cores_overcommitted(
    proxmox: Proxmox, machines: Machines, same_host: Sequence[Neighbour]
) -> Iterator[Fault]:
    """A node's cores are promised a few times over at most: slow, yet not broken."""
    for name, node in proxmox.nodes.items():
        guests = _guests(name, machines, same_host)
        promised = sum(machine.proxmox.cores for _, _, machine in guests if machine.proxmox)
        if promised > _VCPUS_PER_CORE * node.cores:
            wrong = f"{node.cores} cores serve {promised} virtual ones"
            path = ("proxmox", "nodes", name, "cores")
            most = _VCPUS_PER_CORE * node.cores
            yield Fault(path, wrong, f"{most} at most, {_VCPUS_PER_CORE} for each")


def not_enough_memory(
    proxmox: Proxmox, machines: Machines, same_host: Sequence[Neighbour]
) -> Iterator[Fault]:
    """The memory of all machines of a node fits beside what the node keeps for itself."""
    reserved = proxmox.reserved_memory_gib
    for name, node in proxmox.nodes.items():
        sizes = [
            (stack, guest, machine.proxmox.memory_gib)
            for stack, guest, machine in _guests(name, machines, same_host)
            if machine.proxmox
        ]
        wanted = _total(sizes)
        if wanted + reserved > node.memory_gib:
            beside = f"{reserved:g} of {key('proxmox', 'reserved_memory_gib')}"
            wrong = (
                f"{node.memory_gib:g} GiB do not hold machines of {wanted}"
                f" ({_listed(sizes)}) beside {beside}"
            )
            expected = f"machines of {node.memory_gib - reserved:g} GiB at most"
            yield Fault(("proxmox", "nodes", name, "memory_gib"), wrong, expected)


def not_enough_disk(
    proxmox: Proxmox, machines: Machines, same_host: Sequence[Neighbour]
) -> Iterator[Fault]:
    """The disks of all machines of a node fit, those that hold data included."""
    for name, node in proxmox.nodes.items():
        sizes = [
            (stack, guest, machine.proxmox.disk_gib + (machine.data_disk_gib or 0))
            for stack, guest, machine in _guests(name, machines, same_host)
            if machine.proxmox
        ]
        if _total(sizes) > node.disk_gib:
            wrong = f"{node.disk_gib} GiB do not hold disks of {_total(sizes)} ({_listed(sizes)})"
            expected = f"disks of {node.disk_gib} GiB at most"
            yield Fault(("proxmox", "nodes", name, "disk_gib"), wrong, expected)


def cache_too_large(redis: Redis, machines: Machines) -> Iterator[Fault]:
    """The cache leaves the memory of each database machine to the database."""
    sizes = {
        name: machine.proxmox.memory_gib * _MIB_PER_GIB
        for name, machine in machines.items()
        if machine.role is Role.DATABASE and machine.proxmox
    }
    name, size = min(sizes.items(), key=lambda item: item[1], default=("", 0))
    if sizes and redis.memory_mib * _CACHE_IS_AT_MOST_ONE_IN > size:
        wrong = f"{redis.memory_mib} is too large beside PostgreSQL on {name}, which has {size}"
        most = size // _CACHE_IS_AT_MOST_ONE_IN
        yield Fault(("redis", "memory_mib"), wrong, f"{most} at most, a quarter of it")


def _guests(node: str, machines: Machines, same_host: Sequence[Neighbour]) -> list[Guest]:
    """Return all machines of a node, those of the other stacks on it too."""
    stacks = {"": machines, **{other.stack: other.machines for other in same_host}}
    return [
        (stack, name, machine)
        for stack, of_stack in stacks.items()
        for name, machine in of_stack.items()
        if machine.proxmox and machine.proxmox.node == node
    ]


def _total(sizes: Sequence[Size]) -> int:
    return sum(size for _, _, size in sizes)


def _listed(sizes: Sequence[Size]) -> str:
    """Return the sizes by machine, in groups by stack file."""
    groups: dict[str, list[str]] = {}
    for stack, name, size in sizes:
        groups.setdefault(f"in {stack_file(stack)} " if stack else "", []).append(f"{name} {size}")
    return "; ".join(f"{where}{', '.join(listed)}" for where, listed in groups.items())
