"""The K3s cluster of a stack file: what the sections say, as the component wants it."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pulumi

from .cloudflare import snapshot_bucket_of
from .cluster_authority import ClusterAuthority
from .generated_secrets import GeneratedSecrets
from .in_cluster import Inside
from .k3s import K3sCluster, K3sClusterArgs, K3sRelease, K3sSnapshots
from .machines import Machines, owner_of
from .sections import Platform, Role
from .settings import Settings
from .traffic_of_stack import traffic_of


def k3s_of(
    settings: Settings,
    machines: Machines,
    authority: ClusterAuthority,
    secrets: GeneratedSecrets,
    opts: pulumi.ResourceOptions,
) -> K3sCluster | None:
    """Return the cluster of a stack, if it can be made where the stack stands."""
    if settings.platform is Platform.HETZNER:
        pulumi.log.warn(
            "coldstorage:kubernetes: K3s is not put on Hetzner's servers yet; their private network"
            " has an interface of another name"
        )
        return None
    wanted, address = settings.kubernetes, settings.network.api_address
    args = K3sClusterArgs(
        cluster=owner_of(settings),
        servers={m.name: m for m in machines.by_role(Role.K3S_SERVER)},
        agents={m.name: m for m in machines.by_role(Role.K3S_AGENT)},
        api_name=wanted.api_name,
        virtual_address=(
            IPv4Interface((address, settings.network.cidr.prefixlen)) if address else None
        ),
        release=K3sRelease(
            version=wanted.version, mirror=wanted.mirror, sha256=dict(wanted.sha256)
        ),
        pods=wanted.cluster_cidr,
        services=wanted.service_cidr,
        registries={
            name: mirror.model_dump(exclude_none=True) for name, mirror in wanted.registries.items()
        },
        traefik=wanted.traefik,
        operators=settings.network.operators,
        authority=authority,
        token=secrets.k3s_token,
        agent_token=secrets.k3s_agent_token,
        snapshots=_snapshots_of(settings, opts),
    )
    return K3sCluster("kubernetes", args, opts)


def inside_of(settings: Settings, cluster: K3sCluster | None) -> Inside | None:
    """Return how something is made in the cluster, where there is one."""
    return cluster.inside("cluster", traffic_of(settings)) if cluster else None


def _snapshots_of(settings: Settings, opts: pulumi.ResourceOptions) -> K3sSnapshots | None:
    """Return where snapshots go; the bucket goes when data may go."""
    wanted = settings.kubernetes.snapshots
    if wanted is None:
        return None
    kept = pulumi.ResourceOptions(protect=settings.environment.protect_data or None)
    bucket = snapshot_bucket_of(settings, wanted.bucket, pulumi.ResourceOptions.merge(opts, kept))
    return K3sSnapshots(
        store=bucket.store,
        folder=owner_of(settings),
        every_hours=wanted.every_hours,
        kept=wanted.kept,
    )


def kubeconfig_of(cluster: K3sCluster | None, authority: ClusterAuthority) -> pulumi.Output[str]:
    """Return the administrator's way in: that of the cluster, or of one that others make."""
    return cluster.kubeconfig if cluster else authority.kubeconfig
