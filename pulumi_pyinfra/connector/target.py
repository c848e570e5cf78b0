"""Where a host is, who we are there, and by which key we know it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class SshTarget:
    """All that the connector is told about a host; nothing comes from files, agents or settings."""

    address: str
    """Name or address of the host, as the bastion knows it where there is one."""
    port: int = 22
    user: str
    private_key: str = field(repr=False)
    """The text of an unencrypted private key, in OpenSSH's form or as PEM."""
    host_keys: tuple[str, ...] | None = None
    """Public keys (``ssh-ed25519 AAAA...``) of which the host must have one; None takes any."""
    bastion: SshTarget | None = None
    connect_timeout: float = 5
    """Seconds after which the host counts as unreachable, all attempts together."""
    connect_attempts: int = 3
    """How often a connection is tried; a refused key is not tried again."""

    @property
    def door(self) -> SshTarget:
        """Return what leads to the host, whatever key it is known by."""
        return replace(self, host_keys=None, bastion=self.bastion and self.bastion.door)

    @property
    def where(self) -> str:
        """Return ``address:port``, as messages name the host."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"
