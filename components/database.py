"""The PostgreSQL tier, with its pooler and its cache: one cluster on several machines.

Here is said what is wanted; ``hosts/database.py`` is what makes a machine a member, and what the
contract there does not allow is refused by a preview already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

import pulumi

from hosts.pair import second as second_account
from hosts.postgres_size import Size
from pulumi_pyinfra import Deploy, DeployArgs, Host, Rollout

from .database_backups import Backups
from .database_certificates import DatabaseCertificates, DatabaseCertificatesArgs
from .host import host_of
from .machines import Machine
from .sections import Database, Redis
from .two_words import TwoWords
from .values import Secret

INTERFACE = "eth0"
"""What cloud-init calls the one network card of a machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A machine of the tier, and how large its services may think it is."""

    machine: Machine
    size: Size


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresClusterArgs:
    """What a :class:`PostgresCluster` needs to know."""

    cluster: str
    """Tells this cluster from all others, in etcd and in the backups."""
    members: Mapping[str, Member]
    virtual_address: IPv4Interface
    """Where the leader is."""
    clients: tuple[IPv4Network, ...]
    """Whose applications use the database and the cache."""
    operators: tuple[IPv4Network, ...]
    """From where SSH is open, to people and to this program."""
    database: Database
    cache: Redis
    secrets: Mapping[Secret, TwoWords] = field(repr=False)
    """Of the owner, and by what ``hosts.database_node:Passwords`` calls them."""
    backups: Backups | None = None
    """Without any, the log of writes goes nowhere and is not kept."""
    fenced: Mapping[str, Any] | None = field(default=None, repr=False)
    """What ``hosts.database_node:Fenced`` is told: who powers a silent leader off, if anybody."""

    def __post_init__(self) -> None:
        without = [name for name, m in self.members.items() if m.machine.priority is None]
        if without:
            raise ValueError(f"members: no priority in {', '.join(without)}")


class PostgresCluster(pulumi.ComponentResource):
    """PostgreSQL behind one address, on all of its machines."""

    connection: Mapping[str, pulumi.Input[Any]]
    """How an application reaches it: hosts in their order, ports, names, secrets, authority.

    The hosts are known once every machine is a member.
    """

    def __init__(
        self, name: str, args: PostgresClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:database:PostgresCluster", name, {}, opts)
        self._args = args

        self._certificates = DatabaseCertificates(
            f"{name}-certificates",
            DatabaseCertificatesArgs(
                cluster=args.cluster,
                addresses={host: m.machine.address for host, m in args.members.items()},
                virtual_address=args.virtual_address.ip,
                second_signs=args.database.second_secrets.get("authority", False),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        deploy = Deploy(
            f"{name}-deploy",
            DeployArgs(
                deploy="hosts.database:database",
                hosts={host: self._host(host) for host in args.members},
                arguments=self._common(),
                sudo=True,
                rollout=Rollout(
                    together_at_first=True,
                    last_if="hosts.database:leads",
                    probe="hosts.database:healthy",
                    probe_seconds=120,
                ),
                leave="hosts.leaving:leave",
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[r for m in args.members.values() for r in m.machine.resources],
            ),
        )
        self.connection = self._connection(deploy)
        self.register_outputs({"connection": dict(self.connection)})

    def _host(self, host: str) -> Host:
        machine, identity = self._args.members[host].machine, self._certificates.identities[host]
        arguments: dict[str, pulumi.Input[Any]] = {
            "name": host,
            # Each is told of all: one that leaves still needs to hear of itself among them.
            "members": {name: _member(member) for name, member in self._args.members.items()},
            "identity": {
                "authority": self._certificates.authority,
                "certificate": identity.certificate,
                "key": identity.key,
            },
        }
        if machine.data_disk:
            arguments["data_disk"] = machine.data_disk
        return host_of(machine, arguments)

    def _common(self) -> dict[str, pulumi.Input[Any]]:
        args = self._args
        told: dict[str, pulumi.Input[Any]] = {
            "cluster": args.cluster,
            "virtual_address": str(args.virtual_address),
            "router_id": args.database.virtual_router_id,
            "interface": INTERFACE,
            "clients": [str(network) for network in args.clients],
            "operators": [str(network) for network in args.operators],
            "databases": [
                {
                    "name": args.database.name,
                    "owner": args.database.owner,
                    "password": self._told("owner"),
                }
            ],
            "passwords": {name: self._told(name) for name in args.secrets if name != "owner"},
            "cache": {
                "memory_mib": args.cache.memory_mib,
                "eviction": args.cache.eviction,
                "port": args.cache.port,
            },
            "pooler_port": args.database.pooler_port,
        }
        told |= {"backups": args.backups.told} if args.backups else {}
        return told | ({"fenced": args.fenced} if args.fenced else {})

    def _told(self, name: Secret) -> dict[str, pulumi.Input[str]]:
        used = self._args.database.second_secrets
        return self._args.secrets[name].told(second=used.get(name, False))

    def _connection(self, deploy: Deploy) -> dict[str, pulumi.Input[Any]]:
        args = self._args
        second = {name for name, used in args.database.second_secrets.items() if used}
        hosts = [str(args.virtual_address.ip), *map(str, args.database.fallback)]
        return {
            "hosts": deploy.id.apply(lambda _: hosts),
            "port": args.database.port,
            "pooler_port": args.database.pooler_port,
            "name": args.database.name,
            "owner": args.database.owner,
            "user": second_account(args.database.owner)
            if "owner" in second
            else args.database.owner,
            "password": args.secrets["owner"].used(second="owner" in second),
            "cache_port": args.cache.port,
            "cache_password": args.secrets["redis"].used(second="redis" in second),
            "authority": self._certificates.authority,
        }


def _member(member: Member) -> dict[str, Any]:
    size = member.size
    return {
        "address": str(member.machine.address),
        "priority": member.machine.priority,
        "size": {
            "memory_mib": size.memory_mib,
            "cores": size.cores,
            "disk_gib": size.disk_gib,
        },
    }
