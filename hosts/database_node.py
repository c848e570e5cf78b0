"""The contract of a database machine: what the program says, and what follows for each service.

``DatabaseNode`` is what the program fills in; its properties are the contracts of the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import PurePosixPath

from . import patroni as _patroni
from . import pgbackrest as _pgbackrest
from .base import Base
from .checks import identifier, refuse
from .data_disk import DataDisk
from .etcd import CLIENT_PORT, MARK_PORT, PEER_PORT, Etcd
from .etcd import METRICS_PORT as ETCD_METRICS_PORT
from .fencing import Fencing
from .fencing import Proxmox as FencedByProxmox
from .firewall import Opening
from .identity import Identity
from .keepalived import Keepalived
from .metrics import PORTS as METRICS_PORTS
from .metrics import Metrics
from .object_store import Store
from .pair import Pair
from .patroni import API_PORT, POSTGRES_PORT, Patroni
from .pgbackrest import PgBackRest
from .pgbouncer import PgBouncer
from .postgres_size import Size, pool_size, smallest
from .proven_backups import ProvenBackups
from .redis import Eviction, Redis
from .roles import Database, Roles


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One of the machines: where it is, how large, and how much it is wanted as the leader."""

    address: IPv4Address
    priority: int
    size: Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Passwords:
    """All that are generated. The superuser has none: it comes over the machine's own socket."""

    replication: Pair
    rewind: Pair
    pooler: Pair
    redis: Pair
    redis_replication: Pair


@dataclass(frozen=True, kw_only=True, slots=True)
class Backups:
    """Where backups go, when, and for how long they are kept."""

    store: Store
    passphrase: Pair
    full_at: str = "02:00"
    incremental_every_hours: int = 6
    retention_days: int = 30
    dump_at: str = "03:00"
    dumps_for: str | None = None
    """Whose key opens the logical dumps: its public half, ``ssh-ed25519 ...`` or ``age1...``."""
    drill_every_days: int = 7
    found_from: str = "nothing"
    """What a cluster without any data begins with: ``nothing``, ``latest``, or a moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cache:
    """What Redis may do."""

    memory_mib: int = 128
    eviction: Eviction = "allkeys-lru"
    append_only: bool = False
    port: int = 6379


@dataclass(frozen=True, kw_only=True, slots=True)
class Fenced:
    """Who takes a silent leader's power away, and after how long a silence."""

    hypervisor: FencedByProxmox
    silent_seconds: float = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseNode:
    """One machine of the database tier; all but ``name`` and ``identity`` is told to all alike."""

    name: str
    identity: Identity
    cluster: str
    members: Mapping[str, Member]
    virtual_address: IPv4Interface
    router_id: int
    interface: str
    clients: tuple[IPv4Network, ...]
    """Whose applications use the database and the cache."""
    operators: tuple[IPv4Network, ...]
    databases: tuple[Database, ...]
    passwords: Passwords
    backups: Backups | None = None
    """Without any, the log goes nowhere and is not kept."""
    cache: Cache = field(default_factory=Cache)
    data_disk: str | None = None
    """``/dev/disk/by-id/...``; without one the data is on the root disk."""
    pooler_port: int = 6432
    synchronous: bool = True
    fenced: Fenced | None = None
    """Without it Patroni's ttl decides when a silent leader is no leader any more."""

    def __post_init__(self) -> None:
        addresses = [member.address for member in self.members.values()]
        outside = [a for a in addresses if a not in self.virtual_address.network]
        refuse(
            [
                *identifier("cluster", self.cluster),
                *([] if self.name in self.members else [f"name: no member is {self.name}"]),
                *(f"members: {a} is outside {self.virtual_address.network}" for a in outside),
                *(["members: addresses must differ"] if len({*addresses}) < len(addresses) else []),
                *(
                    ["virtual_address: belongs to a member"]
                    if self.virtual_address.ip in addresses
                    else []
                ),
            ]
        )

    @property
    def me(self) -> Member:
        """Return this machine."""
        return self.members[self.name]

    @property
    def addresses(self) -> dict[str, IPv4Address]:
        """Return where the members are."""
        return {name: member.address for name, member in self.members.items()}

    @property
    def peers(self) -> tuple[IPv4Address, ...]:
        """Return where the other members are."""
        return tuple(a for name, a in self.addresses.items() if name != self.name)

    @property
    def leader_url(self) -> str:
        """Return what answers 200 if this machine leads."""
        return f"https://{self.me.address}:{API_PORT}/primary"

    @property
    def base(self) -> Base:
        """Return what it is as any machine."""
        peers = tuple(IPv4Network(address) for address in self.peers)
        users = (*self.clients, *peers)
        among_members = [
            Opening(what="etcd", sources=peers, ports=(CLIENT_PORT, PEER_PORT, MARK_PORT)),
            Opening(what="VRRP", sources=peers, protocol="vrrp"),
        ] if peers else []  # fmt: skip
        openings = [
            Opening(what="Patroni", sources=(*peers, *self.operators), ports=(API_PORT,)),
            Opening(
                what="PostgreSQL, its pooler and Redis",
                sources=users,
                ports=(POSTGRES_PORT, self.pooler_port, self.cache.port),
            ),
            Opening(
                what="Figures for the monitoring",
                sources=(*self.clients, *self.operators),
                # Without a certificate Patroni tells, and changes nothing.
                ports=(*METRICS_PORTS.values(), ETCD_METRICS_PORT, API_PORT),
            ),
        ]
        return Base(
            name=self.name,
            operators=self.operators,
            openings=(*among_members, *openings),
            kernel=(("vm.swappiness", "1"), *_DIRTY),
        )

    @property
    def disk(self) -> DataDisk | None:
        """Return the disk of the data, if it is one of its own."""
        home = PurePosixPath(_patroni.HOME)
        return DataDisk(device=self.data_disk, mount=home) if self.data_disk else None

    @property
    def etcd(self) -> Etcd:
        """Return what etcd must know."""
        return Etcd(
            cluster=self.cluster, name=self.name, members=self.addresses, identity=self.identity
        )

    @property
    def patroni(self) -> Patroni:
        """Return what Patroni must know."""
        sizes = [member.size for member in self.members.values()]
        backed_up = self.backups is not None
        proof = self.proven_backups
        return Patroni(
            cluster=self.cluster,
            name=self.name,
            members=self.addresses,
            store=self.addresses,
            priority=self.me.priority,
            clients=self.clients,
            size=self.me.size,
            smallest=smallest(sizes),
            most_cores=max(size.cores for size in sizes),
            identity=self.identity,
            replication=self.passwords.replication,
            rewind=self.passwords.rewind,
            archive_command=_pgbackrest.archive_command(self.cluster) if backed_up else "/bin/true",
            restore_command=_pgbackrest.restore_command(self.cluster) if backed_up else "",
            founding=proof.founding if proof else None,
            synchronous=self.synchronous,
        )

    @property
    def roles(self) -> Roles:
        """Return who may log in."""
        return Roles(
            databases=self.databases,
            pooler=self.passwords.pooler,
            replication=self.passwords.replication,
            rewind=self.passwords.rewind,
        )

    @property
    def pgbouncer(self) -> PgBouncer:
        """Return what PgBouncer must know."""
        sizes = [member.size for member in self.members.values()]
        return PgBouncer(
            identity=self.identity,
            pooler=self.passwords.pooler,
            pool_size=pool_size(smallest(sizes), len(self.databases)),
            port=self.pooler_port,
        )

    @property
    def keepalived(self) -> Keepalived:
        """Return what keepalived must know."""
        return Keepalived(
            name=self.name,
            virtual_address=self.virtual_address,
            interface=self.interface,
            router_id=self.router_id,
            priority=self.me.priority,
            address=self.me.address,
            peers=self.peers,
            leader_url=self.leader_url,
        )

    @property
    def fencing(self) -> Fencing | None:
        """Return what the witness must know, if there is one."""
        if self.fenced is None:
            return None
        return Fencing(
            cluster=self.cluster,
            name=self.name,
            members=self.addresses,
            hypervisor=self.fenced.hypervisor,
            silent_seconds=self.fenced.silent_seconds,
        )

    @property
    def metrics(self) -> Metrics:
        """Return what those who tell figures must know."""
        return Metrics(identity=self.identity, address=self.me.address)

    @property
    def redis(self) -> Redis:
        """Return what Redis must know."""
        return Redis(
            virtual_address=self.virtual_address.ip,
            application=self.passwords.redis,
            replication=self.passwords.redis_replication,
            memory_mib=self.cache.memory_mib,
            eviction=self.cache.eviction,
            append_only=self.cache.append_only,
            port=self.cache.port,
        )

    @property
    def pgbackrest(self) -> PgBackRest | None:
        """Return what pgBackRest must know, if there are backups."""
        if self.backups is None:
            return None
        return PgBackRest(
            cluster=self.cluster,
            store=self.backups.store,
            passphrase=self.backups.passphrase,
            leader_url=self.leader_url,
            full_at=self.backups.full_at,
            incremental_every_hours=self.backups.incremental_every_hours,
            retention_days=self.backups.retention_days,
            queue_gib=max(1, self.me.size.disk_gib // 10),
            processes=max(1, self.me.size.cores // 2),
        )

    @property
    def proven_backups(self) -> ProvenBackups | None:
        """Return what proves the backups, if there are any."""
        if self.backups is None:
            return None
        return ProvenBackups(
            cluster=self.cluster,
            name=self.name,
            store=self.backups.store,
            repository=_pgbackrest.repository_of(self.cluster, self.backups.passphrase.word),
            api=f"https://{self.me.address}:{API_PORT}",
            recipient=self.backups.dumps_for,
            dump_at=self.backups.dump_at,
            drill_every_days=self.backups.drill_every_days,
            retention_days=self.backups.retention_days,
            incremental_every_hours=self.backups.incremental_every_hours,
            found_from=self.backups.found_from,
        )


# Written back early and little by little, so that a checkpoint does not stand still.
_DIRTY = (("vm.dirty_background_bytes", "67108864"), ("vm.dirty_bytes", "536870912"))
