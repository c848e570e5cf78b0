"""Every machine has its place, and losing one place does not stop the platform."""

from __future__ import annotations

from collections.abc import Iterator

from ..faults import Fault, Path, key
from ..sections import Hetzner, Machine, Machines, Platform, Proxmox, Role

_ZONES = {
    "nbg1": "eu-central",
    "fsn1": "eu-central",
    "hel1": "eu-central",
    "ash": "us-east",
    "hil": "us-west",
    "sin": "ap-southeast",
}
_PLACES = {Platform.PROXMOX: "node", Platform.HETZNER: "location"}
"""What fails as a whole: a physical server, or a data center."""


def machine_without_platform(platform: Platform, machines: Machines) -> Iterator[Fault]:
    """Every machine says what it is on the chosen platform."""
    for name, machine in machines.items():
        if not getattr(machine, platform):
            wrong = f"is missing, but {key('platform')} is {platform}"
            yield Fault(("machines", name, str(platform)), wrong, "what the machine is there")


def vm_id_used_twice(machines: Machines, platform: Platform) -> Iterator[Fault]:
    """A VM id, of a machine or of the owner of a data disk, is used once."""
    owners: dict[int, str] = {}
    for name, machine in machines.items():
        if platform is not Platform.PROXMOX or not machine.proxmox:
            continue
        for field in ("vm_id", "data_vm_id"):
            vm_id = getattr(machine.proxmox, field)
            place = key("machines", name, "proxmox", field)
            if vm_id is not None and owners.setdefault(vm_id, place) != place:
                path = ("machines", name, "proxmox", field)
                yield Fault(path, f"{vm_id} is already {owners[vm_id]}", "an id of its own")


def unknown_node(proxmox: Proxmox, machines: Machines) -> Iterator[Fault]:
    """A machine stands on a node that the platform has."""
    for name, machine in machines.items():
        if machine.proxmox and machine.proxmox.node not in proxmox.nodes:
            wrong = f"{machine.proxmox.node} is none of {key('proxmox', 'nodes')}"
            path = ("machines", name, "proxmox", "node")
            yield Fault(path, wrong, f"one of {', '.join(proxmox.nodes)}")


def location_outside_zone(hetzner: Hetzner, machines: Machines) -> Iterator[Fault]:
    """A Hetzner network reaches the locations of one zone only."""
    found: dict[Path, str] = {
        ("machines", name, "hetzner", "location"): machine.hetzner.location
        for name, machine in machines.items()
        if machine.hetzner
    }
    if hetzner.load_balancer:
        found["hetzner", "load_balancer", "location"] = hetzner.load_balancer.location
    expected = [place for place, zone in _ZONES.items() if zone == hetzner.network_zone]
    for path, location in found.items():
        if location not in expected:
            wrong = f"{location} is outside {hetzner.network_zone}, the network's zone"
            yield Fault(path, wrong, f"one of {', '.join(expected)}")


def load_balancer_without_targets(hetzner: Hetzner, all_machines: Machines) -> Iterator[Fault]:
    """A load balancer has machines to send to."""
    balancer = hetzner.load_balancer
    roles = {machine.role for machine in all_machines.values()}
    if balancer and balancer.target_role not in roles:
        wrong = f"{balancer.target_role} is the role of no machine"
        path = ("hetzner", "load_balancer", "target_role")
        yield Fault(path, wrong, f"one of {', '.join(sorted(roles))}")


def quorum_in_one_place(platform: Platform, all_machines: Machines) -> Iterator[Fault]:
    """Losing one physical server (on Hetzner: one location) leaves a majority of each kind."""
    for role in (Role.K3S_SERVER, Role.DATABASE):
        members = {name: m for name, m in all_machines.items() if m.role is role}
        spare = (len(members) - 1) // 2
        places: dict[str, list[str]] = {}
        for name, machine in members.items():
            places.setdefault(_place(machine, platform), []).append(name)
        for place, there in places.items():
            if len(there) > spare and len(members) > 1:
                wrong = (
                    f"{place} holds {len(there)} of {len(members)} {role} machines"
                    f" ({', '.join(there)}), so losing it loses their quorum"
                )
                path = ("machines", there[spare], str(platform), _PLACES[platform])
                yield Fault(path, wrong, f"at most {spare} of them in one place")


def _place(machine: Machine, platform: Platform) -> str:
    return str(getattr(getattr(machine, platform), _PLACES[platform], ""))
