"""Which connector reaches a host, and what it is told."""

from __future__ import annotations

from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.chroot import ChrootConnector
from pyinfra.connectors.local import LocalConnector

from .. import protocol
from ..connector import Connections, FramedSshConnector, SshTarget


def connector_of(
    host: protocol.Host, connections: Connections | None = None
) -> tuple[type[BaseConnector], dict[str, object]]:
    """Return the connector of a host, and its data."""
    if host.ssh is not None:
        data: dict[str, object] = {"ssh_target": _target(host.ssh), "ssh_connections": connections}
        return FramedSshConnector, data
    if host.chroot is not None:
        return ChrootConnector, {"chroot_directory": host.chroot}
    if host.connector == "local":
        return LocalConnector, {}
    raise ValueError(f"{host.name}: nobody said how it is reached")


def _target(ssh: protocol.Ssh) -> SshTarget:
    return SshTarget(
        address=ssh.address,
        port=ssh.port,
        user=ssh.user,
        private_key=ssh.private_key,
        host_keys=ssh.host_keys,
        bastion=_target(ssh.bastion) if ssh.bastion else None,
        connect_timeout=ssh.connect_timeout,
        connect_attempts=ssh.connect_attempts,
    )
