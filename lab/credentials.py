"""What opens a lab's emulated APIs and its state: made once for each lab, readable by its owner."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from .private import write_private


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """The secrets that the lab's stack is configured with."""

    proxmox_api_token: str = field(repr=False)
    cloudflare_api_token: str = field(repr=False)
    proxmox_fencing_token: str = field(repr=False)
    """For the power of the database machines, and nothing else."""

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Return those of a lab, made at the first call."""
        path = folder / "credentials.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        made = {
            "proxmox_api_token": f"pulumi@pve!lab={_uuid()}",
            "cloudflare_api_token": secrets.token_urlsafe(30),
            "proxmox_fencing_token": f"fencing@pve!lab={_uuid()}",
        }
        if made.keys() - kept.keys():
            write_private(path, json.dumps(made | kept))
        return cls(**made | kept)


def _uuid() -> str:
    return "-".join(secrets.token_hex(n) for n in (4, 2, 2, 2, 6))


def passphrase_in(folder: Path) -> Path:
    """Return the file with what encrypts the lab's state, made at the first call."""
    path = folder / "passphrase"
    if not path.exists():
        write_private(path, secrets.token_hex(16))
    return path
