"""A connector for pyinfra that keeps one SSH connection and one shell open per host.

Plug it in between the inventory and the state, since a host makes its connector in ``Host.init``::

    inventory = Inventory(([("db-node1", {"ssh_target": SshTarget(...)})], {}))
    for host in inventory:
        host.connector_cls = FramedSshConnector
    state = State(inventory, Config())

A distribution can register it instead, as pyinfra does with its own: entry point ``framed`` of the
group ``pyinfra.connectors``, names then start with ``@framed/``.
"""

from .connections import Connections
from .connector import FramedSshConnector
from .errors import (
    ConnectionLostError,
    HostKeyRefusedError,
    PermissionDeniedError,
    UnreachableError,
)
from .target import SshTarget

__all__ = [
    "ConnectionLostError",
    "Connections",
    "FramedSshConnector",
    "HostKeyRefusedError",
    "PermissionDeniedError",
    "SshTarget",
    "UnreachableError",
]
