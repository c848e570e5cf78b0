"""The sections of a stack file, one frozen model each.

A model checks what can be seen in one value alone; what two values must agree on is in
:mod:`components.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from .values import (
    CloudflareId,
    EmailAddress,
    Fingerprint,
    Hostname,
    Identifier,
    MachineName,
    PinnedImage,
    Port,
    Positive,
    PublicKey,
    RegistryName,
    ReleaseFile,
    Secret,
    Sha256,
    TimeOfDay,
    UserName,
    VmId,
)

BucketName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$", examples=["cold-db-backups"])
]
UNPINNED: Literal["unpinned"] = "unpinned"
"""An identity that nobody has confirmed yet; the fingerprint guard refuses to run with it."""


class Section(BaseModel):
    """Base of every section: unknown keys are errors, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Environment(Section):
    """What tells one environment from the other."""

    domain: Hostname
    protect_data: bool
    """Machines and disks that hold data can't be deleted; what is removed is kept."""


class Role(StrEnum):
    """What a machine is for."""

    K3S_SERVER = "k3s-server"
    K3S_AGENT = "k3s-agent"
    DATABASE = "database"


class Platform(StrEnum):
    """Where the machines are."""

    PROXMOX = "proxmox"
    HETZNER = "hetzner"


class OnProxmox(Section):
    """One machine as a Proxmox VM."""

    node: str = Field(min_length=1)
    vm_id: VmId
    data_vm_id: VmId | None = None
    """The VM that owns the data disk and never starts, so that the disk outlives the machine."""
    cores: Positive
    memory_gib: Positive
    disk_gib: Annotated[int, Field(ge=4)]


class OnHetzner(Section):
    """One machine as a Hetzner Cloud server."""

    server_type: str = Field(pattern=r"^c[a-z]{1,3}[0-9]{2}$", examples=["cax11"])
    location: Literal["nbg1", "fsn1", "hel1", "ash", "hil", "sin"]


class Machine(Section):
    """One machine; its name is the key it stands under."""

    role: Role
    address: IPv4Address
    priority: Annotated[int, Field(ge=1, le=254)] | None = None
    """Who is the preferred primary: the highest; only database machines have one."""
    data_disk_gib: Annotated[int, Field(ge=10)] | None = None
    """A disk apart from the system's that survives a replacement of the machine."""
    proxmox: OnProxmox | None = None
    hetzner: OnHetzner | None = None


Machines = Annotated[
    Mapping[MachineName, Machine], Field(json_schema_extra={"additionalProperties": False})
]
"""Machines by name, in the order of the file."""


class ProxmoxNode(Section):
    """A physical server and what it has to give."""

    cores: Positive
    memory_gib: Annotated[float, Field(gt=0)]
    disk_gib: Positive


class ProxmoxStorage(Section):
    """Where disks are made."""

    name: str = Field(min_length=1)
    disk_format: Literal["qcow2", "raw"]
    """qcow2 on directories and NFS (snapshots), raw on LVM, ZFS and Ceph."""


class CloudImage(Section):
    """The system that a new Proxmox machine starts from."""

    storage: str = Field(min_length=1)
    """A directory storage that takes content of type ``import``."""
    url: HttpUrl
    sha512: str = Field(pattern=r"^[0-9a-f]{128}$", examples=["95e110df... (128 digits)"])


class Proxmox(Section):
    """One Proxmox VE cluster (or a single host)."""

    endpoint: HttpUrl
    fingerprint: Fingerprint
    """SHA-256 of the certificate that the endpoint must present."""
    nodes: Mapping[str, ProxmoxNode] = Field(min_length=1)
    reserved_memory_gib: Annotated[float, Field(ge=0)]
    """What each node keeps for itself."""
    bridge: str = Field(min_length=1)
    storage: ProxmoxStorage
    image: CloudImage


class LoadBalancer(Section):
    """A Hetzner load balancer before the K3s machines of one role."""

    type: str = Field(pattern=r"^lb[0-9]{2}$", examples=["lb11"])
    location: Literal["nbg1", "fsn1", "hel1", "ash", "hil", "sin"]
    address: IPv4Address
    target_role: Role
    ports: tuple[Port, ...] = Field(min_length=1)
    interval_seconds: Annotated[int, Field(ge=3, le=60)]
    timeout_seconds: Annotated[int, Field(ge=1, le=60)]
    retries: Annotated[int, Field(ge=1, le=5)]


class Hetzner(Section):
    """One Hetzner Cloud project."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$", examples=["docfast"])
    """The token must belong to the project that holds the marker of this name."""
    endpoint: HttpUrl = HttpUrl("https://api.hetzner.cloud/v1")
    network_zone: Literal["eu-central", "us-east", "us-west", "ap-southeast"]
    subnet: IPv4Network
    image: str = Field(min_length=1)
    load_balancer: LoadBalancer | None = None


class Network(Section):
    """The network that the machines share."""

    cidr: IPv4Network
    gateway: IPv4Address
    dns: tuple[IPv4Address, ...] = Field(min_length=1)
    application_address: IPv4Address | None = None
    """Virtual address of the application; a platform with a load balancer has none."""
    database_address: IPv4Address | None = None
    """Virtual address of the database."""
    api_address: IPv4Address | None = None
    """Virtual address of the Kubernetes API; without one it is reached at the first server."""
    operators: tuple[IPv4Network, ...] = Field(min_length=1)
    """Networks from which people reach SSH and the Kubernetes API."""


class Access(Section):
    """How machines are reached."""

    user: UserName
    authorized_keys: tuple[PublicKey, ...]


class RegistryMirror(Section):
    """A registry that is asked for images in the place of another."""

    endpoint: str = Field(pattern=r"^https://[^\s/]+$", examples=["https://mirror.example.com"])
    authority: str | None = Field(default=None, pattern=r"^-----BEGIN ")
    """Who signed its certificate, in PEM, if that is not publicly known."""


class PublishedManifest(Section):
    """A manifest that others publish."""

    place: str = Field(pattern=r"^(https://|/)\S+$")
    """A URL, or a file."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


METALLB = PublishedManifest(
    place="https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml",
    sha256="a1b04c376fb39c93265f551fe23716a3ae6e09b790edb3bf257d3fc784c35a18",
)


class Snapshots(Section):
    """What etcd holds, kept in a bucket of its own."""

    bucket: BucketName
    every_hours: Annotated[int, Field(ge=1, le=24)]
    kept: Positive
    """How many of each server stay in the bucket."""


class Kubernetes(Section):
    """The K3s cluster."""

    version: str = Field(
        pattern=r"^v1\.[0-9]{1,2}\.[0-9]{1,2}\+k3s[0-9]{1,2}$", examples=["v1.33.6+k3s1"]
    )
    mirror: str = Field(
        default="https://github.com/k3s-io/k3s/releases/download", pattern=r"^(https://|/)\S+$"
    )
    """Where K3s' releases are: a URL with a folder for each version, or a folder with the files."""
    sha256: Mapping[ReleaseFile, Sha256] = {"k3s": UNPINNED}
    """Of ``k3s`` and, for machines without a registry, of archives of images, as the release's own
    ``sha256sum-amd64.txt`` has them."""
    api_name: Hostname
    cluster_cidr: IPv4Network
    service_cidr: IPv4Network
    registries: Mapping[RegistryName, RegistryMirror] = {}
    """Mirrors by whose images they have; ``*`` is every registry without one of its own."""
    metallb: PublishedManifest = METALLB
    """Who gives the application its address."""
    traefik: bool = False
    """Whether K3s' own Traefik answers for the portals' names at the application's address."""
    snapshots: Snapshots | None = None
    """Without a bucket they are on the servers' own disks only."""


class Fencing(Section):
    """A leader that falls silent is powered off by Proxmox, and succeeded at once.

    It is off without the secret ``proxmox_fencing_token``: a token of its own, for power alone.
    """

    silent_seconds: Annotated[float, Field(ge=2, le=15)]
    """What is shorter is a hiccup."""


class Database(Section):
    """The PostgreSQL tier."""

    version: Literal[17]
    name: Identifier
    owner: Identifier
    port: Port
    pooler_port: Port
    virtual_router_id: Annotated[int, Field(ge=1, le=255)]
    fallback: tuple[IPv4Address | Literal["localhost"], ...]
    second_secrets: Mapping[Secret, bool] = {}
    """Those of which the second word is used; `python -m ops.database STACK rotate` writes it."""
    fencing: Fencing | None = None


class CacheTtls(Section):
    """How long the application's cached values live."""

    room_stats: Positive
    floor_data: Positive
    logins: Positive


class Redis(Section):
    """The cache on every database machine."""

    port: Port
    memory_mib: Positive
    eviction: Literal["allkeys-lru", "allkeys-lfu", "volatile-lru", "noeviction"]
    ttl_seconds: CacheTtls


class Tunnel(Section):
    """The way in from Cloudflare's edge."""

    name: str = Field(min_length=1)
    connectors: Positive


class AccessPolicy(Section):
    """Who may pass to the protected pages."""

    email_domains: tuple[Hostname, ...] = Field(min_length=1)
    emails: tuple[EmailAddress, ...] = ()
    """Single people beside them."""
    administrators: tuple[EmailAddress, ...] = ()
    """Who may see the page of the infrastructure; without any, all who may pass to the portal."""
    session_hours: Annotated[int, Field(ge=1, le=720)]


class Cloudflare(Section):
    """The account and zone in front of the platform."""

    account_id: CloudflareId
    zone_id: CloudflareId
    endpoint: HttpUrl = HttpUrl("https://api.cloudflare.com/client/v4")
    r2_endpoint: HttpUrl | None = None
    """Where R2 answers; without one, at the account's own name."""
    r2_authority: str | None = None
    """Who signed its certificate, in PEM, if that is not publicly known."""
    tunnel: Tunnel
    access: AccessPolicy
    connector_image: PinnedImage
    """cloudflared, which holds the tunnel open from within the cluster."""
    probe_image: PinnedImage
    """curl, which asks for a page through the edge."""


class Portal(Section):
    """One deployment of the application."""

    hostname: Hostname
    port: Port


class Application(Section):
    """The company's backend."""

    image: str = Field(
        pattern=r"^[a-z0-9][a-z0-9./_-]*:v[0-9]+\.[0-9]+\.[0-9]+$",
        examples=["cold-backend:v1.5.173"],
    )
    digest: Sha256 = UNPINNED
    """Of the image: what runs is this and nothing else of its name."""
    replicas: Positive
    """Of each portal, at least."""
    most_replicas: Positive | None = None
    """Of each portal when many ask; without it there are always as many."""
    employee: Portal
    customer: Portal


class Backups(Section):
    """What is kept, for how long, and how often it is proven."""

    bucket: BucketName
    full_at: TimeOfDay
    incremental_every_hours: Annotated[int, Field(ge=1, le=24)]
    dump_at: TimeOfDay
    retention_days: Positive
    drill_interval_days: Positive


class Share(Section):
    """An NFS share on the K3s machines."""

    enabled: bool
    server: IPv4Address
    export: str = Field(min_length=1)
    size_tb: Positive
    mount: str = Field(pattern=r"^/[^\s]*$", examples=["/mnt/data"])
