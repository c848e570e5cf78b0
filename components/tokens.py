"""The stack's API tokens in the clear, for the questions that the program itself asks.

Providers get theirs as secret outputs; these never leave the process that runs the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from pulumi.runtime.config import get_config


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """What opens each API; empty where the stack has none."""

    proxmox: str = field(default="", repr=False)
    cloudflare: str = field(default="", repr=False)
    hcloud: str = field(default="", repr=False)

    @classmethod
    def of_this_run(cls) -> Self:
        """Return the tokens of the stack that the engine runs."""
        return cls(
            proxmox=get_config("coldstorage:proxmox_api_token") or "",
            cloudflare=get_config("coldstorage:cloudflare_api_token") or "",
            hcloud=get_config("coldstorage:hcloud_token") or "",
        )
