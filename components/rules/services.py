"""What the machines serve fits them, and fits together."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from pydantic import HttpUrl

from ..certificates_section import Certificates
from ..faults import Fault, Path, key
from ..sections import (
    Application,
    Backups,
    Cloudflare,
    Database,
    Environment,
    Hetzner,
    Kubernetes,
    Machines,
    Network,
    Proxmox,
    Redis,
    Role,
)

_POSTGRES_PORT = 5432
_TRAEFIK_PORTS = (80, 443)
_FULL_BACKUPS_KEPT = 2
"""Fewer, and one bad backup is all there is; a full one is made every day."""


def replicas_above_nodes(application: Application, all_machines: Machines) -> Iterator[Fault]:
    """At most one copy of a portal is on a node."""
    nodes = _k3s_nodes(all_machines)
    if application.replicas > nodes:
        wrong = f"{application.replicas} are more than the {nodes} K3s machines"
        yield Fault(("application", "replicas"), wrong, f"at most {nodes}, one on each")


def most_replicas_below_replicas(application: Application) -> Iterator[Fault]:
    """What there may be when many ask is no less than what there always is."""
    least, most = application.replicas, application.most_replicas
    if most is not None and most < least:
        wrong = f"{most} is below the {least} of {key('application', 'replicas')}"
        yield Fault(("application", "most_replicas"), wrong, f"{least} or more")


def connectors_above_nodes(cloudflare: Cloudflare, all_machines: Machines) -> Iterator[Fault]:
    """At most one connector of the tunnel is on a node."""
    nodes = _k3s_nodes(all_machines)
    if cloudflare.tunnel.connectors > nodes:
        wrong = f"{cloudflare.tunnel.connectors} are more than the {nodes} K3s machines"
        path = ("cloudflare", "tunnel", "connectors")
        yield Fault(path, wrong, f"at most {nodes}, one on each")


def _k3s_nodes(machines: Machines) -> int:
    return sum(m.role in {Role.K3S_SERVER, Role.K3S_AGENT} for m in machines.values())


def certificate_outside_domain(
    certificates: Certificates, environment: Environment
) -> Iterator[Fault]:
    """A certificate is for names of the zone, by which they are proven."""
    domain = environment.domain
    for position, name in enumerate(certificates.names):
        if name != domain and not name.endswith(f".{domain}"):
            path = ("certificates", "names", position)
            yield Fault(
                path, f"{name} is outside {domain}", f"a name in {key('environment', 'domain')}"
            )


def traefik_without_address(kubernetes: Kubernetes, network: Network) -> Iterator[Fault]:
    """Traefik answers at the application's address."""
    if kubernetes.traefik and network.application_address is None:
        wrong = f"there is no {key('network', 'application_address')} that it could answer at"
        yield Fault(("kubernetes", "traefik"), wrong, "an address, or no Traefik")


def portal_port_of_traefik(kubernetes: Kubernetes, application: Application) -> Iterator[Fault]:
    """Traefik and the portals share one address."""
    for portal in ("employee", "customer"):
        port = getattr(application, portal).port
        if kubernetes.traefik and port in _TRAEFIK_PORTS:
            path = ("application", portal, "port")
            place = key("kubernetes", "traefik")
            yield Fault(path, f"{port} is Traefik's, which {place} wants", "a port of its own")


def portal_outside_domain(application: Application, environment: Environment) -> Iterator[Fault]:
    """A portal's name is in the domain of the environment."""
    domain = environment.domain
    for portal in ("employee", "customer"):
        hostname = getattr(application, portal).hostname
        if hostname != domain and not hostname.endswith(f".{domain}"):
            wrong = f"{hostname} is outside {domain}"
            path = ("application", portal, "hostname")
            yield Fault(path, wrong, f"a name in {key('environment', 'domain')}")


def portal_hostnames_equal(application: Application) -> Iterator[Fault]:
    """The two portals have two names."""
    if application.customer.hostname == application.employee.hostname:
        place = key("application", "employee", "hostname")
        wrong = f"{application.customer.hostname} is already {place}"
        yield Fault(("application", "customer", "hostname"), wrong, "a name of its own")


def portal_ports_equal(application: Application) -> Iterator[Fault]:
    """The two portals share one address, so they have two ports."""
    if application.customer.port == application.employee.port:
        place = key("application", "employee", "port")
        wrong = f"{application.customer.port} is already {place}"
        yield Fault(("application", "customer", "port"), wrong, "a port of its own")


def database_ports_clash(database: Database, redis: Redis | None = None) -> Iterator[Fault]:
    """PostgreSQL, its pooler and Redis listen beside each other."""
    ports: list[tuple[Path, int]] = [
        (("database", "port"), database.port),
        (("database", "pooler_port"), database.pooler_port),
    ]
    if redis:
        ports.append((("redis", "port"), redis.port))
    owners: dict[int, Path] = {}
    for path, port in ports:
        owner = owners.setdefault(port, path)
        if owner != path:
            yield Fault(path, f"{port} is already {key(*owner)}", "a port of its own")


def another_port_than_postgres(database: Database) -> Iterator[Fault]:
    """What runs on the machines, and what looks after it, knows one port of PostgreSQL."""
    if database.port != _POSTGRES_PORT:
        yield Fault(("database", "port"), f"{database.port} is not served", str(_POSTGRES_PORT))


def fallback_is_the_database_address(database: Database, network: Network) -> Iterator[Fault]:
    """Where to look after the database address is somewhere else."""
    for position, address in enumerate(database.fallback):
        if address == network.database_address:
            wrong = f"{address} is already {key('network', 'database_address')}"
            path = ("database", "fallback", position)
            yield Fault(path, wrong, "another address: the database address is tried first")


def snapshots_among_backups(backups: Backups, kubernetes: Kubernetes) -> Iterator[Fault]:
    """The key of the K3s machines opens no backup of a database."""
    path = ("kubernetes", "snapshots", "bucket")
    if kubernetes.snapshots and kubernetes.snapshots.bucket == backups.bucket:
        wrong = f"{backups.bucket} is already {key('backups', 'bucket')}"
        yield Fault(path, wrong, "a bucket of its own")


def retention_below_drill_interval(backups: Backups) -> Iterator[Fault]:
    """What a drill restores is still there when the next drill is due."""
    if backups.retention_days < backups.drill_interval_days:
        interval = f"{backups.drill_interval_days} of {key('backups', 'drill_interval_days')}"
        wrong = f"{backups.retention_days} is shorter than the {interval}"
        path = ("backups", "retention_days")
        yield Fault(path, wrong, f"{backups.drill_interval_days} or more")


def retention_below_two_full_backups(backups: Backups) -> Iterator[Fault]:
    """One bad backup is never the only one."""
    if backups.retention_days < _FULL_BACKUPS_KEPT:
        wrong = f"{backups.retention_days} keeps a single full backup"
        path = ("backups", "retention_days")
        yield Fault(path, wrong, f"{_FULL_BACKUPS_KEPT} or more")


def insecure_endpoint(
    proxmox: Proxmox | None = None,
    hetzner: Hetzner | None = None,
    cloudflare: Cloudflare | None = None,
) -> Iterator[Fault]:
    """A token travels encrypted, unless it never leaves this machine."""
    sections = {"proxmox": proxmox, "hetzner": hetzner, "cloudflare": cloudflare}
    for name, section in sections.items():
        if section and section.endpoint.scheme != "https" and not _is_loopback(section.endpoint):
            wrong = f"{section.endpoint} would send the token in the clear"
            yield Fault((name, "endpoint"), wrong, "an address that begins with https://")


def _is_loopback(url: HttpUrl) -> bool:
    host = (url.host or "").strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
