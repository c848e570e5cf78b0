"""The K3s cluster: servers with etcd in them, agents beside them, and the way in as a provider.

Here is said what is wanted; ``hosts/k3s.py`` is what makes a machine a node. The kubeconfig is made
of what the state holds, so that the provider is known before the cluster is: no plan needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from pulumi_pyinfra import Deploy, DeployArgs, Host, Rollout

from .cluster_authority import Authority, ClusterAuthority
from .host import host_of
from .in_cluster import Inside
from .machines import Machine
from .traffic import Traffic

PROBE_SECONDS = 120
"""How long a node may take until it is ready."""


@dataclass(frozen=True, kw_only=True, slots=True)
class K3sRelease:
    """Which K3s, and where it comes from."""

    version: str
    mirror: str
    sha256: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class K3sSnapshots:
    """Where what etcd holds is kept."""

    store: Mapping[str, pulumi.Input[Any]] = field(repr=False)
    """What ``hosts.object_store:Store`` takes."""
    folder: str
    every_hours: int
    kept: int


@dataclass(frozen=True, kw_only=True, slots=True)
class K3sClusterArgs:
    """What a :class:`K3sCluster` needs to know."""

    cluster: str
    servers: Mapping[str, Machine]
    agents: Mapping[str, Machine]
    api_name: str
    virtual_address: IPv4Interface | None
    """Of the API; without one, servers are reached at their own addresses."""
    release: K3sRelease
    pods: IPv4Network
    services: IPv4Network
    registries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Who is asked for images instead: its endpoint, and who signed its certificate."""
    operators: tuple[IPv4Network, ...]
    """From where SSH and the API are open, to people and to this program."""
    authority: ClusterAuthority
    token: pulumi.Input[str] = field(repr=False)
    """What a server shows to the others."""
    agent_token: pulumi.Input[str] = field(repr=False)
    traefik: bool = False
    """Whether K3s brings its own."""
    snapshots: K3sSnapshots | None = None

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError("servers: name at least one")


class K3sCluster(pulumi.ComponentResource):
    """Kubernetes on all of its machines."""

    kubeconfig: pulumi.Output[str]
    """The administrator's, a secret; known once the servers serve."""

    def __init__(
        self, name: str, args: K3sClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:kubernetes:K3sCluster", name, {}, opts)
        self._args = args

        servers = self._deploy(f"{name}-servers", args.servers, [])
        nodes = [servers]
        if args.agents:
            nodes.append(self._deploy(f"{name}-agents", args.agents, [servers]))
        self._nodes = nodes
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(args.authority.kubeconfig, *(node.id for node in nodes)).apply(
                lambda known: str(known[0])
            )
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def inside(self, name: str, traffic: Traffic) -> Inside:
        """Return how something is made in the cluster, once all nodes are in it.

        The provider is known before the cluster is, and stays the same when the kubeconfig is
        renewed. A cluster that does not answer holds nothing else up: what is in it is then left
        as it was, with a warning.
        """
        provider = kubernetes.Provider(
            name,
            kubeconfig=self._args.authority.kubeconfig,
            cluster_identifier=self._args.cluster,
            enable_server_side_apply=True,
            skip_update_unreachable=True,
            # Their names are ours: what is replaced would be missing for a moment.
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._nodes),
        )
        kubeconfig = self._args.authority.kubeconfig
        return Inside(
            provider=provider, cluster=self._nodes[0], kubeconfig=kubeconfig, traffic=traffic
        )

    def _deploy(
        self,
        name: str,
        machines: Mapping[str, Machine],
        after: list[Deploy],
    ) -> Deploy:
        there = [resource for machine in machines.values() for resource in machine.resources]
        return Deploy(
            name,
            DeployArgs(
                deploy="hosts.k3s:k3s",
                hosts={host: self._host(host, machine) for host, machine in machines.items()},
                arguments=self._common(),
                sudo=True,
                # One at a time, agents too: an upgrade takes a node's pods away.
                rollout=Rollout(
                    together_at_first=True,
                    probe="hosts.k3s:healthy",
                    probe_seconds=PROBE_SECONDS,
                ),
                leave="hosts.k3s_leaving:leave",
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[*there, *after]),
        )

    def _host(self, host: str, machine: Machine) -> Host:
        args = self._args
        # Who is a node is told to each by itself: who leaves is told what it was.
        arguments: dict[str, pulumi.Input[Any]] = {
            "name": host,
            "servers": {name: str(m.address) for name, m in args.servers.items()},
            "agents": {name: str(m.address) for name, m in args.agents.items()},
        }
        if host in args.servers:
            authority = args.authority
            arguments |= {
                "token": pulumi.Output.secret(args.token),
                "authorities": {
                    "server": _authority(authority.server),
                    "client": _authority(authority.client),
                },
            }
            if args.snapshots:
                arguments["snapshots"] = {
                    "store": dict(args.snapshots.store),
                    "folder": args.snapshots.folder,
                    "every_hours": args.snapshots.every_hours,
                    "kept": args.snapshots.kept,
                }
        return host_of(machine, arguments)

    def _common(self) -> dict[str, pulumi.Input[Any]]:
        args = self._args
        api: dict[str, Any] = {"name": args.api_name}
        if args.virtual_address:
            api["virtual_address"] = str(args.virtual_address)
        return {
            "cluster": args.cluster,
            "api": api,
            "release": {
                "version": args.release.version,
                "mirror": args.release.mirror,
                "sha256": dict(args.release.sha256),
            },
            "pods": str(args.pods),
            "services": str(args.services),
            "traefik": args.traefik,
            "registries": {name: dict(mirror) for name, mirror in args.registries.items()},
            "operators": [str(network) for network in args.operators],
            "authority": args.authority.server.certificate.cert_pem,
            "agent_token": pulumi.Output.secret(args.agent_token),
            "administrator": args.authority.kubeconfig,
        }


def _authority(authority: Authority) -> dict[str, pulumi.Input[str]]:
    return {
        "certificate": authority.certificate.cert_pem,
        "key": pulumi.Output.secret(authority.key.private_key_pem),
    }
