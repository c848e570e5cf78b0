"""The database tier of a stack file: what the sections say, as the component wants it."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network
from typing import Any

import pulumi

from hosts.postgres_size import Size

from .cloudflare import BackupBucket
from .database import Member, PostgresCluster, PostgresClusterArgs
from .database_backups import Backups
from .database_fencing import fenced_of
from .generated_secrets import GeneratedSecrets
from .machines import Machine, Machines, owner_of
from .sections import Machine as MachineSettings
from .sections import Platform, Role
from .settings import Settings
from .two_words import SECOND

MIB_PER_GIB = 1024


def database_of(
    settings: Settings,
    machines: Machines,
    secrets: GeneratedSecrets,
    bucket: BackupBucket,
    opts: pulumi.ResourceOptions,
    *,
    fencing_token: pulumi.Output[str] | None = None,
) -> PostgresCluster | None:
    """Return the database tier of a stack, if it has one that can be made where it stands.

    Without a ``fencing_token`` nobody powers off a leader that falls silent.
    """
    members, address = machines.by_role(Role.DATABASE), settings.network.database_address
    if not (members and settings.database and settings.redis and address):
        return None
    if settings.platform is Platform.HETZNER:
        pulumi.log.warn(
            "coldstorage:database: nothing is put into the database machines; their address moves"
            " by layer 2, which Hetzner's network does not carry"
        )
        return None
    second = {name for name, used in settings.database.second_secrets.items() if used}
    args = PostgresClusterArgs(
        cluster=owner_of(settings),
        members={
            machine.name: Member(machine=machine, size=size_of(settings.machines[machine.name]))
            for machine in members
        },
        virtual_address=IPv4Interface((address, settings.network.cidr.prefixlen)),
        clients=_clients(machines),
        operators=settings.network.operators,
        database=settings.database,
        cache=settings.redis,
        backups=Backups(
            store=bucket.store,
            passphrase=secrets.backup_passphrases.told(second="backups" in second),
            full_at=f"{settings.backups.full_at:%H:%M}",
            incremental_every_hours=settings.backups.incremental_every_hours,
            retention_days=settings.backups.retention_days,
            dump_at=f"{settings.backups.dump_at:%H:%M}",
            dumps_for=secrets.dump_keys[
                SECOND if "dumps" in second else "first"
            ].public_key_openssh.apply(str.strip),
            drill_every_days=settings.backups.drill_interval_days,
        ),
        secrets=secrets.database,
        fenced=fenced_of(settings, [m.name for m in members], fencing_token),
    )
    return PostgresCluster("database", args, opts)


def connection_of(cluster: PostgresCluster | None) -> dict[str, pulumi.Input[Any]] | None:
    """Return how to connect to a database tier, if there is one."""
    return dict(cluster.connection) if cluster else None


def size_of(machine: MachineSettings) -> Size:
    """Return how large a machine is for its services; the data's disk is its own, if it has one."""
    if machine.proxmox is None:
        raise ValueError("proxmox: how large the machine is stands there alone")
    return Size(
        memory_mib=machine.proxmox.memory_gib * MIB_PER_GIB,
        cores=machine.proxmox.cores,
        disk_gib=machine.data_disk_gib or machine.proxmox.disk_gib,
    )


def _clients(machines: Machines) -> tuple[IPv4Network, ...]:
    users: list[Machine] = [
        machine for role in (Role.K3S_SERVER, Role.K3S_AGENT) for machine in machines.by_role(role)
    ]
    return tuple(IPv4Network(machine.address) for machine in users)
