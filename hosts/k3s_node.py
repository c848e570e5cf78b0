"""The contract of a machine of the K3s cluster, and what follows for each of its services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from .api_address import ApiAddress
from .base import Base
from .checks import identifier, refuse, secret, within
from .firewall import Opening
from .k3s_registries import Mirror
from .k3s_release import Release
from .k3s_snapshots import Snapshots
from .machine_for_k3s import KERNEL

API_PORT = 6443
MEMBER_PORT = 6440
"""Where a server says that it is or was one, whether K3s runs or not."""
_ETCD, _KUBELET, _VXLAN, _SPEAKERS = (2379, 2380), 10250, 8472, 7946


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A certificate that signs others, and its key."""

    certificate: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        refuse(
            f"{name}: expected PEM, got something else"
            for name in ("certificate", "key")
            if "-----BEGIN" not in getattr(self, name)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Authorities:
    """Who signs servers' certificates, and who signs clients'."""

    server: Authority
    client: Authority


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """By what the Kubernetes API is reached, whichever server lives."""

    name: str
    virtual_address: IPv4Interface | None = None
    """Held by a server whose API is ready; without one, servers are reached at their own."""
    interface: str = "eth0"

    @property
    def router_id(self) -> int:
        """Return the address's VRRP id: its last number, as unlikely to be taken as it is."""
        return (int(self.virtual_address.ip) & 255 if self.virtual_address else 0) or 255


@dataclass(frozen=True, kw_only=True, slots=True)
class K3sNode:
    """One machine of the cluster; all but ``name`` is told to all servers alike."""

    name: str
    cluster: str
    servers: Mapping[str, IPv4Address]
    """The first by name is who may found the cluster."""
    agents: Mapping[str, IPv4Address] = field(default_factory=dict)
    api: Api
    release: Release
    pods: IPv4Network
    services: IPv4Network
    operators: tuple[IPv4Network, ...]
    authority: str
    """The certificate of who signs servers' certificates."""
    authorities: Authorities | None = None
    """With their keys; a server's only."""
    token: str | None = field(default=None, repr=False)
    """What a server shows; an agent never has it."""
    agent_token: str = field(repr=False)
    administrator: str = field(repr=False)
    """A kubeconfig; it is on the machine only while the machine joins or leaves."""
    registries: Mapping[str, Mirror] = field(default_factory=dict)
    """By whose images are asked for instead; ``*`` is every other."""
    traefik: bool = False
    """Whether K3s brings its own; who answers at an address for all is MetalLB alone."""
    snapshots: Snapshots | None = None
    """Where a server keeps what etcd holds; it opens by ``token``."""
    settled: bool = False
    """Whether the cluster was founded once, as the state says: told by the provider."""
    drain_seconds: int = 300
    """How long pods may take to be elsewhere before the node leaves or is upgraded."""

    def __post_init__(self) -> None:
        addresses = [*self.servers.values(), *self.agents.values()]
        twice = sorted({*self.servers} & {*self.agents})
        virtual = self.api.virtual_address
        server = self.name in self.servers
        refuse(
            [
                *identifier("cluster", self.cluster),
                *secret("agent_token", self.agent_token),
                *within("drain_seconds", self.drain_seconds, 1, 3600),
                *(secret("token", self.token) if self.token else ()),
                *([] if server or self.name in self.agents else [f"name: no node is {self.name}"]),
                *(f"agents: {name} is a server" for name in twice),
                *(["servers: addresses must differ"] if len({*addresses}) < len(addresses) else []),
                *(["servers: name at least one"] if not self.servers else []),
                *(["token: a server needs it"] if server and not self.token else []),
                *(["snapshots: an agent has none"] if self.snapshots and not server else []),
                *(["authorities: a server needs them"] if server and not self.authorities else []),
                *(
                    ["api: the virtual address belongs to a node"]
                    if virtual and virtual.ip in addresses
                    else []
                ),
            ]
        )

    @property
    def is_server(self) -> bool:
        """Tell whether it is a server; all others are agents."""
        return self.name in self.servers

    @property
    def address(self) -> IPv4Address:
        """Return where this machine is."""
        return self.servers[self.name] if self.is_server else self.agents[self.name]

    @property
    def command(self) -> str:
        """Return what K3s calls its role."""
        return "server" if self.is_server else "agent"

    @property
    def unit(self) -> str:
        """Return what systemd calls it."""
        return "k3s.service" if self.is_server else "k3s-agent.service"

    @property
    def other_servers(self) -> dict[str, IPv4Address]:
        """Return where the other servers are."""
        return {name: a for name, a in sorted(self.servers.items()) if name != self.name}

    @property
    def api_url(self) -> str | None:
        """Return where it finds the cluster again, if there is any other place than itself."""
        if self.api.virtual_address:
            return f"https://{self.api.virtual_address.ip}:{API_PORT}"
        others = list(self.other_servers.values())
        return f"https://{others[0]}:{API_PORT}" if others else None

    @property
    def base(self) -> Base:
        """Return what it is as any machine."""
        return Base(
            name=self.name,
            operators=self.operators,
            openings=self._openings,
            forwards=(self.pods, self.services),
            kernel=KERNEL,
        )

    @property
    def _openings(self) -> tuple[Opening, ...]:
        nodes = tuple(
            IPv4Network(a)
            for name, a in sorted({**self.servers, **self.agents}.items())
            if name != self.name
        )
        servers = tuple(IPv4Network(a) for a in self.other_servers.values())
        inside = (*nodes, self.pods)
        told = [Opening(what="kubelet", sources=inside, ports=(_KUBELET,))]
        if self.is_server:
            everyone = tuple(dict.fromkeys((*self.operators, *inside)))
            told.append(Opening(what="Kubernetes API", sources=everyone, ports=(API_PORT,)))
        if nodes:
            told.append(Opening(what="VXLAN", sources=nodes, protocol="udp", ports=(_VXLAN,)))
            told += [
                Opening(what="MetalLB", sources=nodes, protocol=protocol, ports=(_SPEAKERS,))
                for protocol in ("tcp", "udp")
            ]
        if self.is_server and servers:
            told.append(Opening(what="etcd", sources=servers, ports=(*_ETCD, MEMBER_PORT)))
            told.append(Opening(what="VRRP", sources=servers, protocol="vrrp"))
        return tuple(told)

    @property
    def api_address(self) -> ApiAddress | None:
        """Return what keepalived must know, on a server of a cluster with a virtual address."""
        if not (self.is_server and self.api.virtual_address):
            return None
        return ApiAddress(
            name=self.name,
            virtual_address=self.api.virtual_address,
            interface=self.api.interface,
            router_id=self.api.router_id,
            address=self.address,
            peers=tuple(self.other_servers.values()),
            api_port=API_PORT,
            priority=100 + sorted(self.servers, reverse=True).index(self.name),
        )
