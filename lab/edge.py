"""Cloudflare's edge as the lab has it: a STAND-IN that passes requests on through tunnels."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from toolchain.cache import Cache

from .internet import Site
from .serve import Authority, beside

PORT = 443
NAMES_PORT = 53


def serving(
    folder: Path, authority: Authority, domain: str, resolver: str
) -> AbstractContextManager[None]:
    """Run the edge for a zone; what it knows are the records that the lab's Cloudflare keeps.

    At the address of the ``resolver`` that machines ask, it answers for the names of the zone.
    """
    certificate = authority.issue("edge", Site.EDGE.address, domain, f"*.{domain}")
    command = [
        Cache.of_this_user().root / "lab" / "lab-edge",
        "--listen", f"{Site.EDGE.address}:{PORT}",
        "--names", f"{resolver}:{NAMES_PORT}",
        "--certificate", certificate,
        "--records", folder / "cloudflare.json",
        "--key", folder / "edge.key",
    ]  # fmt: skip
    return beside(command, Site.EDGE.address, PORT, {})
