"""A stack's way in: what the sections say of names, people and services, as components want it."""

from __future__ import annotations

from ipaddress import IPv4Address

import pulumi

from ..generated_secrets import GeneratedSecrets
from ..machines import owner_of
from ..sections import Platform
from ..settings import Settings
from .access import People, ProtectedPages, ProtectedPagesArgs
from .names import PublicNames, PublicNamesArgs
from .tunnel import Tunnel, TunnelArgs


def way_in_of(
    settings: Settings, secrets: GeneratedSecrets, opts: pulumi.ResourceOptions
) -> Tunnel:
    """Return the tunnel of a stack, with the names that lead to it and who may pass."""
    wanted, application = settings.cloudflare, settings.application
    portals = (application.employee, application.customer)
    at = _address_of_application(settings)
    tunnel = Tunnel(
        "way-in",
        TunnelArgs(
            account_id=wanted.account_id,
            name=wanted.tunnel.name,
            services={portal.hostname: f"http://{at}:{portal.port}" for portal in portals},
            secret=secrets.tunnel_secret,
        ),
        opts,
    )
    protected = _protected(settings, opts)
    PublicNames(
        "names",
        PublicNamesArgs(
            zone_id=wanted.zone_id,
            owner=owner_of(settings),
            hostnames=[portal.hostname for portal in portals],
            target=tunnel.address,
            after=[tunnel.routes, *(pages.application for pages in protected)],
        ),
        opts,
    )
    return tunnel


def _protected(settings: Settings, opts: pulumi.ResourceOptions) -> list[ProtectedPages]:
    wanted, application = settings.cloudflare, settings.application
    employees = People(domains=wanted.access.email_domains, emails=wanted.access.emails)
    administrators = wanted.access.administrators
    # Whichever portal serves the page of the infrastructure, customers must not come to it.
    infrastructure = [
        f"{portal.hostname}{settings.monitoring.dashboard_path}"
        for portal in (application.employee, application.customer)
    ]
    pages = {
        "employee-portal": ([application.employee.hostname], employees),
        "infrastructure": (
            infrastructure,
            People(emails=administrators) if administrators else employees,
        ),
    }
    return [
        ProtectedPages(
            name,
            ProtectedPagesArgs(
                account_id=wanted.account_id,
                label=f"{owner_of(settings)}: {name}",
                places=places,
                people=people,
                session_hours=wanted.access.session_hours,
            ),
            opts,
        )
        for name, (places, people) in pages.items()
    ]


def _address_of_application(settings: Settings) -> IPv4Address:
    network, hetzner = settings.network, settings.hetzner
    if network.application_address:
        return network.application_address
    if settings.platform is Platform.HETZNER and hetzner and hetzner.load_balancer:
        return hetzner.load_balancer.address
    raise AssertionError("a rule wants an address of the application or a load balancer")
