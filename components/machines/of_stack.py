"""The machines of a stack file; the only place that asks which platform it stands on."""

from __future__ import annotations

from functools import partial

import pulumi

from ..proxmox_api import FoundVm, ProxmoxApi
from ..sections import Platform, Proxmox
from ..settings import Settings
from ..tokens import Tokens
from .firewall import Services
from .hetzner import HetznerMachines, HetznerMachinesArgs
from .machine import Machines
from .proxmox import ProxmoxMachines, ProxmoxMachinesArgs


def machines_of(settings: Settings, tokens: Tokens, opts: pulumi.ResourceOptions) -> Machines:
    """Return the machines of the platform that the stack stands on."""
    if settings.platform is Platform.PROXMOX and settings.proxmox:
        return ProxmoxMachines(
            "machines",
            ProxmoxMachinesArgs(
                owner=owner_of(settings),
                machines=settings.machines,
                proxmox=settings.proxmox,
                network=settings.network,
                access=settings.access,
                services=services_of(settings),
                protect_data=settings.environment.protect_data,
                find_vm=partial(_find_vm, settings.proxmox, tokens.proxmox),
            ),
            opts,
        )
    if settings.platform is Platform.HETZNER and settings.hetzner:
        return HetznerMachines(
            "machines",
            HetznerMachinesArgs(
                owner=owner_of(settings),
                machines=settings.machines,
                hetzner=settings.hetzner,
                network=settings.network,
                access=settings.access,
                protect_data=settings.environment.protect_data,
            ),
            opts,
        )
    raise AssertionError("settings always hold the section of their platform")


def owner_of(settings: Settings) -> str:
    """Return the mark of all that is this stack's."""
    return f"coldstorage-{settings.stack}"


FIGURES = {2381, 8008, 9100, 9187}
"""Where etcd, Patroni and the exporters of a database machine answer the monitoring."""


def services_of(settings: Settings) -> Services:
    """Return the ports that the stack's firewalls let in."""
    application, database, redis = settings.application, settings.database, settings.redis
    return Services(
        application=(application.employee.port, application.customer.port),
        database=tuple(
            sorted(
                ({database.port, database.pooler_port, *FIGURES} if database else set())
                | ({redis.port} if redis else set())
            )
        ),
    )


def _find_vm(proxmox: Proxmox, token: str, vm_id: int) -> FoundVm | None:
    endpoint = str(proxmox.endpoint)
    with ProxmoxApi(endpoint, token=token, fingerprint=proxmox.fingerprint) as api:
        return api.find_vm(vm_id)
