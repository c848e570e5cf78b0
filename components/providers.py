"""The providers, each made in the program from the stack's settings; none is ever implicit."""

from __future__ import annotations

import pulumi
import pulumi_hcloud as hcloud
import pulumi_proxmoxve as proxmoxve
import pulumi_random as random
import pulumi_tls as tls

from .cloudflare import resources as cloudflare
from .sections import Hetzner, Platform, Proxmox
from .settings import Settings


def providers(settings: Settings, config: pulumi.Config) -> list[pulumi.ProviderResource]:
    """Return the providers of the stack; only the platform that it stands on is configured."""
    return [
        _platform(settings, config),
        cloudflare.provider(
            config.require_secret("cloudflare_api_token"), str(settings.cloudflare.endpoint)
        ),
        pulumi.ProviderResource("pyinfra", "pyinfra", {}),
        random.Provider("random"),
        tls.Provider("tls"),
    ]


def _platform(settings: Settings, config: pulumi.Config) -> pulumi.ProviderResource:
    if settings.platform is Platform.PROXMOX and settings.proxmox:
        return _proxmox(settings.proxmox, config.require_secret("proxmox_api_token"))
    if settings.platform is Platform.HETZNER and settings.hetzner:
        return _hetzner(settings.hetzner, config.require_secret("hcloud_token"))
    raise AssertionError("settings always hold the section of their platform")


def _proxmox(wanted: Proxmox, token: pulumi.Output[str]) -> proxmoxve.Provider:
    return proxmoxve.Provider(
        "proxmox",
        endpoint=str(wanted.endpoint),
        api_token=token,
        # Proxmox signs its own certificate; the guard has compared it with the pinned one.
        insecure=True,
    )


def _hetzner(wanted: Hetzner, token: pulumi.Output[str]) -> hcloud.Provider:
    # Both endpoints: with one alone, calls for storage boxes would go to the real service.
    return hcloud.Provider(
        "hetzner", endpoint=str(wanted.endpoint), endpoint_hetzner=str(wanted.endpoint), token=token
    )
