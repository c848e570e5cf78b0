"""Who talks to whom in what a stack file may leave out: the monitoring, certificates, Traefik."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from . import certificates as _certificates
from . import connector
from .monitoring import alertmanager, grafana, kube_state_metrics, node_exporter, prometheus
from .monitoring.names import EXPORTERS, NAMESPACE, labels
from .monitoring.scraping import ETCD, NODE, PATRONI, POSTGRES
from .sections import Role
from .settings import Settings
from .traffic import Edge, Outside, Pods
from .traffic_parties import (
    ANYBODY,
    API_PORT,
    EVERYWHERE,
    INTERNET,
    KUBELET_PORT,
    SYSTEM,
    api_server,
    asks_names,
    nodes,
    portals,
)

PROMETHEUS = Pods(name="prometheus", namespace=NAMESPACE, labels=labels(prometheus.NAME))
ALERTMANAGER = Pods(name="alertmanager", namespace=NAMESPACE, labels=labels(alertmanager.NAME))
STATE = Pods(name="kube-state-metrics", namespace=NAMESPACE, labels=labels(kube_state_metrics.NAME))
GRAFANA = Pods(name="grafana", namespace=NAMESPACE, labels=labels(grafana.NAME))
NODE_EXPORTER = Pods(name="node-exporter", namespace=EXPORTERS, labels=labels(node_exporter.NAME))
CONNECTOR = Pods(name="cloudflared", namespace=connector.NAMESPACE, labels=connector.LABELS)
TRAEFIK = Pods(name="traefik", namespace=SYSTEM, labels={"app.kubernetes.io/name": "traefik"})
_HTTP, _HTTPS = 80, 443


def watching(settings: Settings) -> Iterator[Edge]:
    """Yield who asks for figures, and who is told."""
    wanted = settings.monitoring.images
    if wanted is None:
        return
    yield from _asked(settings)
    for watcher in (PROMETHEUS, STATE):
        why = "objects that it watches"
        yield Edge(source=watcher, target=api_server(settings), tcp=(API_PORT,), why=why)
    yield asks_names(PROMETHEUS)
    yield asks_names(ALERTMANAGER)
    yield Edge(source=PROMETHEUS, target=ALERTMANAGER, tcp=(alertmanager.PORT,), why="alerts")
    gossip = (alertmanager.GOSSIP,)
    why = "whom the other has told"
    yield Edge(source=ALERTMANAGER, target=ALERTMANAGER, tcp=gossip, udp=gossip, why=why)
    told = Outside(name="who-is-told", networks=(EVERYWHERE,))
    if ports := _ports_of_who_is_told(settings):
        yield Edge(source=ALERTMANAGER, target=told, tcp=ports, why="alerts")
    if wanted.grafana:
        yield asks_names(GRAFANA)
        yield Edge(source=GRAFANA, target=PROMETHEUS, tcp=(prometheus.PORT,), why="pictures")


def _asked(settings: Settings) -> Iterator[Edge]:
    pods = (
        (PROMETHEUS, prometheus.PORT),
        (STATE, kube_state_metrics.PORT),
        (NODE_EXPORTER, node_exporter.PORT),
        (CONNECTOR, connector.METRICS_PORT),
    )
    for target, port in pods:
        yield Edge(source=PROMETHEUS, target=target, tcp=(port,), why="figures")
    yield Edge(source=PROMETHEUS, target=nodes(settings), tcp=(KUBELET_PORT,), why="figures")
    machines = settings.machines.values()
    tier = tuple(IPv4Network(m.address) for m in machines if m.role is Role.DATABASE)
    if tier:
        machines_of_it = Outside(name="database-machines", networks=tier)
        ports = (NODE, POSTGRES, PATRONI, ETCD)
        yield Edge(source=PROMETHEUS, target=machines_of_it, tcp=ports, why="figures")


def _ports_of_who_is_told(settings: Settings) -> tuple[int, ...]:
    """Return the ports at which mails and calls are taken, wherever that is."""
    mail, webhook = settings.monitoring.mail, settings.monitoring.webhook
    found = {int(mail.server.rpartition(":")[2])} if mail else set()
    if webhook:
        place = webhook.url.split("/")[2]
        usual = _HTTPS if webhook.url.startswith("https:") else _HTTP
        found.add(int(place.rpartition(":")[2]) if ":" in place else usual)
    return tuple(sorted(found))


def certificates(settings: Settings) -> Iterator[Edge]:
    """Yield who has certificates made, and asks whether the proof can be seen."""
    if settings.certificates is None:
        return
    space = _certificates.NAMESPACE
    made_by = Pods(name="cert-manager", namespace=space, labels={"app": "cert-manager"})
    beside = [
        Pods(name=f"cert-manager-{app}", namespace=space, labels={"app": app})
        for app in ("cainjector", "webhook")
    ]
    yield asks_names(made_by)
    why = "the authority, Cloudflare, and who answers for the zone"
    yield Edge(source=made_by, target=INTERNET, tcp=(53, _HTTPS), udp=(53,), why=why)
    for watcher in (made_by, *beside):
        why = "objects that it watches"
        yield Edge(source=watcher, target=api_server(settings), tcp=(API_PORT,), why=why)


def ingress(settings: Settings) -> Iterator[Edge]:
    """Yield who comes to the portals by K3s' own Traefik."""
    if not settings.kubernetes.traefik:
        return
    # Its chart's own ports for 80 and 443.
    yield Edge(source=ANYBODY, target=TRAEFIK, tcp=(8000, 8443), why="people, by its address")
    for portal, port in portals(settings):
        yield Edge(source=TRAEFIK, target=portal, tcp=(port,), why="requests by name")
    yield Edge(
        source=TRAEFIK, target=api_server(settings), tcp=(API_PORT,), why="objects that it watches"
    )
