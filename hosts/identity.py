"""By what a machine is known to others, and they to it: its certificate, and who signed theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO

from pyinfra.operations import files
from pyinfra.operations.util import any_changed

from .checks import refuse

AUTHORITY = "/etc/ssl/certs/platform-ca.pem"
"""The authority's certificate where every user of the machine may read it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A key pair, and the authority; during a rotation ``authority`` holds two certificates.

    The certificate names the machine, its address and each address that it may take over, for
    clients and for servers.
    """

    authority: str
    certificate: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        refuse(
            f"{name}: expected PEM, got something else"
            for name in ("authority", "certificate", "key")
            if "-----BEGIN" not in getattr(self, name)
        )


def write_authority(wanted: Identity) -> None:
    """Write the authority's certificate for whoever looks in from this machine."""
    files.put(
        name="Write the authority's certificate",
        src=StringIO(wanted.authority.strip() + "\n"),
        dest=AUTHORITY,
        mode="644",
    )


def write_identity(wanted: Identity, folder: str, group: str) -> Callable[[], bool]:
    """Write a service's own files; answers with whether any of them changed.

    The folder closes the key to all others before there is one.
    """
    files.directory(
        name=f"Make the folder of {group}'s key", path=folder, user="root", group=group, mode="750"
    )
    texts = {"ca": wanted.authority, "certificate": wanted.certificate, "key": wanted.key}
    written = [
        files.put(
            name=f"Write {name}.pem for {group}",
            src=StringIO(text.strip() + "\n"),
            dest=f"{folder}/{name}.pem",
            user="root",
            group=group,
            mode="640",
        )
        for name, text in texts.items()
    ]
    return any_changed(*written)
