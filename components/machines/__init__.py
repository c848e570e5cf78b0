"""The machines of a stack, on Proxmox VE or at Hetzner, behind one interface."""

from .firewall import Services
from .hetzner import HetznerMachines, HetznerMachinesArgs
from .machine import Connection, Machine, Machines
from .of_stack import machines_of, owner_of
from .proxmox import ProxmoxMachines, ProxmoxMachinesArgs

__all__ = [
    "Connection",
    "HetznerMachines",
    "HetznerMachinesArgs",
    "Machine",
    "Machines",
    "ProxmoxMachines",
    "ProxmoxMachinesArgs",
    "Services",
    "machines_of",
    "owner_of",
]
