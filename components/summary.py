"""What a stack tells the world: addresses, URLs, and a page for a human."""

from __future__ import annotations

from .sections import Platform
from .settings import Settings


def addresses(settings: Settings) -> dict[str, str]:
    """Return the address of each machine by name."""
    return {name: str(machine.address) for name, machine in settings.machines.items()}


def virtual_addresses(settings: Settings) -> dict[str, str]:
    """Return the addresses that aren't a machine's own."""
    network = settings.network
    found = {
        "application": network.application_address,
        "database": network.database_address,
        "kubernetes": network.api_address,
    }
    if (
        settings.platform is Platform.HETZNER
        and settings.hetzner
        and settings.hetzner.load_balancer
    ):
        found["application"] = settings.hetzner.load_balancer.address
    return {name: str(address) for name, address in found.items() if address}


def urls(settings: Settings) -> dict[str, str]:
    """Return where people and programs go."""
    application = settings.application
    return {
        "employee": f"https://{application.employee.hostname}",
        "customer": f"https://{application.customer.hostname}",
        "dashboard": f"https://{application.employee.hostname}{settings.monitoring.dashboard_path}",
        "kubernetes": f"https://{settings.api_address}:6443",
    }


def text(settings: Settings) -> str:
    """Return what to look at first, for whoever just ran ``up``."""
    width = max(len(name) for name in settings.machines)
    lines = [
        f"Stack {settings.stack} serves {settings.environment.domain} from {settings.platform}",
        "",
    ]
    lines += [
        f"  {name:<{width}}  {machine.address}  {machine.role}"
        for name, machine in settings.machines.items()
    ]
    lines += ["", *(f"  {name:<{width}}  {at}" for name, at in virtual_addresses(settings).items())]
    lines += ["", *(f"  {name:<{width}}  {url}" for name, url in urls(settings).items())]
    return "\n".join(lines)
