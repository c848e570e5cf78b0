"""What the lab has where a stack file pins the images that watch the platform.

Prometheus, Alertmanager and node-exporter are Debian's packages (the real programs, the first
without its pages for people), kube-state-metrics is built by the toolchain. Grafana cannot be had
where only packages and Go modules can: in the lab it is LEFT OUT, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.cache import Cache

from .hardware import BASE
from .kubernetes import Image, Registry
from .kubernetes.images import from_debian
from .machines import BaseImage
from .project import Overlay
from .serve import Authority
from .tunnel_images import AUTHORITY

LEFT_OUT = "Grafana is LEFT OUT: it cannot be built here"
DEBIAN = BaseImage(
    packages=(*BASE.packages, "prometheus", "prometheus-alertmanager", "prometheus-node-exporter")
)
"""What the programs are taken from, with the libraries that they load."""
_PAGES = Path("usr/share/prometheus/alertmanager")
"""Alertmanager's texts: how a mail is worded."""
NOBODY = "65534"


def pinned_in(registry: Registry) -> Overlay:
    """Have a registry serve them, and return what the stack file says of them."""
    images = {key: registry.push(image(registry.authority)) for key, image in IMAGES.items()}
    # The lab's cluster has no storage class: figures last as long as the pod.
    return {"monitoring": {"images": images, "volume": None}}


def prometheus(_: Authority) -> Image:
    """Return Debian's Prometheus."""
    return _of_debian("prom/prometheus:v2.53.3", "prometheus")


def alertmanager(authority: Authority) -> Image:
    """Return Debian's Alertmanager, which knows who signs certificates in the lab."""
    texts = {
        f"{_PAGES}/{name}": DEBIAN.obtain() / _PAGES / name
        for name in ("default.tmpl", "email.tmpl")
    }
    known = {AUTHORITY: authority.certificate.read_bytes()}
    return _of_debian(
        "prom/alertmanager:v0.28.1",
        "prometheus-alertmanager",
        {**texts, **known},
        {"SSL_CERT_FILE": f"/{AUTHORITY}"},
    )


def node_exporter(_: Authority) -> Image:
    """Return Debian's node-exporter."""
    return _of_debian("prom/node-exporter:v1.9.0", "prometheus-node-exporter")


def kube_state_metrics(_: Authority) -> Image:
    """Return what the toolchain built."""
    return Image(
        name="registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0",
        files={"kube-state-metrics": Cache.of_this_user().root / "cluster" / "kube-state-metrics"},
        entrypoint=("/kube-state-metrics",),
        user=NOBODY,
    )


IMAGES: Mapping[str, Callable[[Authority], Image]] = {
    "prometheus": prometheus,
    "alertmanager": alertmanager,
    "kube_state_metrics": kube_state_metrics,
    "node_exporter": node_exporter,
}
"""By what the section calls them."""


def _of_debian(
    name: str,
    program: str,
    more: Mapping[str, Path | bytes | str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Image:
    return Image(
        name=name,
        files={**from_debian(DEBIAN.obtain(), f"/usr/bin/{program}"), **(more or {})},
        entrypoint=(f"/usr/bin/{program}",),
        user=NOBODY,
        environment=environment or {},
    )
