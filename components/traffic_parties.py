"""Who is spoken of in several parts of the map of who talks to whom."""

from __future__ import annotations

from ipaddress import IPv4Network

from . import application_objects
from .sections import Role
from .settings import Settings
from .traffic import Edge, Outside, Pods

API_PORT, KUBELET_PORT = 6443, 10250
SYSTEM = "kube-system"
EVERYWHERE = IPv4Network("0.0.0.0/0")
NOT_PUBLIC = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16",
    )
)  # fmt: skip

INTERNET = Outside(name="internet", networks=(EVERYWHERE,), but=NOT_PUBLIC)
ANYBODY = Outside(name="anybody", networks=(EVERYWHERE,))
DNS = Pods(name="dns", namespace=SYSTEM, labels={"k8s-app": "kube-dns"})


def portals(settings: Settings) -> list[tuple[Pods, int]]:
    """Return the application's pods, and where each kind listens."""
    wanted = settings.application
    return [
        (
            Pods(
                name=name,
                namespace=application_objects.NAMESPACE,
                labels=application_objects.labels(name),
            ),
            portal.port,
        )
        for name, portal in (("employee", wanted.employee), ("customer", wanted.customer))
    ]


def api_server(settings: Settings) -> Outside:
    """Return where the API's name in the cluster leads to: a policy sees where it ends."""
    return Outside(name="api-server", networks=_addresses(settings, Role.K3S_SERVER))


def nodes(settings: Settings) -> Outside:
    """Return the machines of the cluster, which are also who is in a node's own network."""
    return Outside(name="nodes", networks=_addresses(settings, Role.K3S_SERVER, Role.K3S_AGENT))


def cluster_network(settings: Settings) -> Outside:
    """Return every pod, and every node as pods of another one see it: both have such addresses."""
    return Outside(name="cluster-network", networks=(settings.kubernetes.cluster_cidr,))


def asks_names(source: Pods) -> Edge:
    """Return the edge of who asks for names."""
    return Edge(source=source, target=DNS, tcp=(53,), udp=(53,), why="names")


def _addresses(settings: Settings, *roles: Role) -> tuple[IPv4Network, ...]:
    machines = settings.machines.values()
    return tuple(IPv4Network(m.address) for m in machines if m.role in roles)
