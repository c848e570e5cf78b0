"""The section of a stack file that has certificates made, for who reaches the portals directly."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from .sections import PublishedManifest, Section
from .values import EmailAddress, Hostname


class Certificates(Section):
    """cert-manager: certificates that an ACME server signs once Cloudflare's zone proves a name."""

    manifest: PublishedManifest
    """What its makers publish of a version (``cert-manager.yaml``), with the definitions."""
    email: EmailAddress
    """Who is told when a certificate is about to end."""
    server: HttpUrl = HttpUrl("https://acme-v02.api.letsencrypt.org/directory")
    authority: str | None = Field(default=None, pattern=r"^-----BEGIN ")
    """Who signed the server's own certificate, in PEM, if that is not publicly known."""
    names: tuple[Hostname, ...] = Field(min_length=1)
    """In the domain of the environment; one certificate has them all."""
