"""A machine as a host of a deploy: how it is reached, and by what another one is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_pyinfra import Host, Ssh

from .machines import Machine

FIRST_BOOT_SECONDS = 120
"""How long a machine may take from its power switch until it answers."""


def host_of(machine: Machine, arguments: Mapping[str, pulumi.Input[Any]]) -> Host:
    """Return the host that a machine is, with what it alone is told."""
    connection = machine.connection
    return Host(
        connector=Ssh(
            address=connection.host,
            port=connection.port,
            user=connection.user,
            private_key=connection.private_key,
            connect_timeout=FIRST_BOOT_SECONDS,
            # Pauses double: enough of them for all of that time.
            connect_attempts=12,
        ),
        machine=machine.identity,
        arguments=arguments,
    )
