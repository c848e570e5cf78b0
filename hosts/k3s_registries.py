"""Where a node pulls images from instead: what K3s calls registries.yaml, and who signed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .checks import refuse

FOLDER = "/etc/rancher/k3s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """A registry that is asked in the place of another."""

    endpoint: str
    authority: str | None = None
    """Who signed its certificate, in PEM, if that is not publicly known."""

    def __post_init__(self) -> None:
        there, known = self.endpoint.startswith("https://"), self.authority
        refuse(
            [
                *([] if there else [f"endpoint: must begin with https://, got {self.endpoint}"]),
                *(
                    ["authority: expected PEM, got something else"]
                    if known and "-----BEGIN" not in known
                    else []
                ),
            ]
        )

    @property
    def name(self) -> str:
        """Return what its settings stand under."""
        return urlsplit(self.endpoint).netloc

    @property
    def place(self) -> str:
        """Return where its authority is on the machine."""
        return f"{FOLDER}/registry-{self.name.replace(':', '-')}.pem"


def registries(mirrors: Mapping[str, Mirror]) -> dict[str, Any]:
    """Return registries.yaml."""
    return {
        "mirrors": {name: {"endpoint": [mirror.endpoint]} for name, mirror in mirrors.items()},
        "configs": {
            mirror.name: {"tls": {"ca_file": mirror.place}}
            for mirror in mirrors.values()
            if mirror.authority
        },
    }


def authorities(mirrors: Mapping[str, Mirror]) -> dict[str, str]:
    """Return the authorities of registries by their places on the machine."""
    return {m.place: m.authority.strip() + "\n" for m in mirrors.values() if m.authority}
