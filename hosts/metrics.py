"""What a machine tells of itself: the system, PostgreSQL, and what others leave in files.

Anybody whom the firewall lets through may ask; the answers are encrypted and hold no secret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from pyinfra.operations import files, systemd

from .deploying import deploy
from .identity import Identity, write_identity
from .packages import Packages
from .patroni import SOCKETS
from .rendering import rendered

NODE, POSTGRES = "prometheus-node-exporter", "prometheus-postgres-exporter"
PACKAGES = Packages(names=(NODE, POSTGRES), ours=(NODE, POSTGRES))
PORTS = {NODE: 9100, POSTGRES: 9187}
LEFT = "/var/lib/prometheus/node-exporter"
"""Where programs leave figures of their own, in files ``*.prom``."""
ROLE = "prometheus"
"""The user of both programs, and the role of the same name that PostgreSQL lets in."""
FOLDER = "/etc/prometheus-exporters"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """Where a machine answers, and by what it is known."""

    identity: Identity
    address: IPv4Address


@dataclass(frozen=True, kw_only=True, slots=True)
class _Program:
    """One of the programs that answer."""

    service: str
    options: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


_PROGRAMS = (
    _Program(
        service=NODE,
        options=(
            # Who holds the database address is seen from it.
            "--collector.netdev.address-info",
            f"--collector.textfile.directory={LEFT}",
        ),
    ),
    _Program(
        service=POSTGRES,
        variables=(
            ("DATA_SOURCE_NAME", f"host={SOCKETS} user={ROLE} dbname=postgres sslmode=disable"),
        ),
    ),
)


@deploy("Metrics")
def metrics(wanted: Metrics) -> None:
    """Keep both programs running."""
    files.directory(name="Make the folder of the exporters", path=FOLDER, group=ROLE, mode="750")
    tls = f"{FOLDER}/tls"
    identity_changed = write_identity(wanted.identity, tls, ROLE)
    web = files.put(
        name="Write how the exporters are asked",
        src=rendered("exporters.web.yml.j2", tls=tls),
        dest=f"{FOLDER}/web.yml",
        group=ROLE,
        mode="640",
    )
    for one in _PROGRAMS:
        _keep(one, wanted, lambda: identity_changed() or web.did_change())


def _keep(one: _Program, wanted: Metrics, shared_changed: Callable[[], bool]) -> None:
    settings = files.put(
        name=f"Write the settings of {one.service}",
        src=rendered(
            "exporter.default.j2",
            options=(
                f"--web.listen-address={wanted.address}:{PORTS[one.service]}",
                f"--web.config.file={FOLDER}/web.yml",
                *one.options,
            ),
            variables=one.variables,
        ),
        dest=f"/etc/default/{one.service}",
        mode="644",
    )
    started = systemd.service(
        name=f"Keep {one.service} running",
        service=f"{one.service}.service",
        running=True,
        enabled=True,
    )
    systemd.service(
        name=f"Restart {one.service} with what changed",
        service=f"{one.service}.service",
        restarted=True,
        _if=lambda: (settings.did_change() or shared_changed()) and not started.did_change(),
    )
