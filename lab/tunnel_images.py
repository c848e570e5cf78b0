"""What the lab has where a stack file pins the images of the way in: its own, under their names.

The connector is a STAND-IN (Cloudflare's cannot be had, and would dial Cloudflare); curl is
Debian's. What they have to know of the lab (where the edge is, who signed its certificate) is in
the image, so that what is asked of the cluster is the same as anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolchain.cache import Cache

from .hardware import BASE
from .internet import Site
from .kubernetes import Image, Registry
from .kubernetes.images import from_debian
from .project import Overlay
from .serve import Authority

AUTHORITY = "etc/ssl/lab.pem"


def pinned_in(registry: Registry) -> Overlay:
    """Have a registry serve them, and return what the stack file says of them."""
    pinned: dict[str, dict[str, str]] = {}
    for (section, key), image in IMAGES.items():
        pinned.setdefault(section, {})[key] = registry.push(image(registry.authority))
    return pinned


def connector(authority: Authority) -> Image:
    """Return the connector."""
    return Image(
        name="cloudflare/cloudflared:2025.11.1",
        files={
            "bin/cloudflared": Cache.of_this_user().root / "lab" / "cloudflared",
            AUTHORITY: authority.certificate.read_bytes(),
        },
        entrypoint=("cloudflared", "--no-autoupdate"),
        user="65532",
        environment={"LAB_EDGE": f"{Site.EDGE.address}:443", "SSL_CERT_FILE": f"/{AUTHORITY}"},
    )


def curl(authority: Authority) -> Image:
    """Return Debian's curl with the libraries that it needs."""
    return Image(
        name="curlimages/curl:8.17.0",
        files={
            **from_debian(BASE.obtain(), "/usr/bin/curl"),
            "bin/curl": "/usr/bin/curl",
            AUTHORITY: authority.certificate.read_bytes(),
        },
        entrypoint=("curl",),
        user="65534",
        environment={"CURL_CA_BUNDLE": f"/{AUTHORITY}"},
    )


IMAGES: Mapping[tuple[str, str], Callable[[Authority], Image]] = {
    ("cloudflare", "connector_image"): connector,
    ("cloudflare", "probe_image"): curl,
}
"""By section and key of the stack file."""
