"""Who talks to whom in a stack: the one map, kind by kind, with the reason of every edge."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from . import connector, edge_probe, load_balancer
from .settings import Settings
from .traffic import Edge, Outside, Pods, Traffic
from .traffic_of_options import certificates, ingress, watching
from .traffic_parties import (
    ANYBODY,
    API_PORT,
    DNS,
    INTERNET,
    KUBELET_PORT,
    SYSTEM,
    api_server,
    asks_names,
    cluster_network,
    nodes,
    portals,
)

OWN_NAMESPACES = ("default", "kube-node-lease", "kube-public", SYSTEM)
"""Those that a cluster has of itself."""
METRICS_SERVER = Pods(name="metrics-server", namespace=SYSTEM, labels={"k8s-app": "metrics-server"})
VOLUMES = Pods(
    name="local-path-provisioner", namespace=SYSTEM, labels={"app": "local-path-provisioner"}
)
BALANCER = Pods(
    name="metallb-controller",
    namespace=load_balancer.NAMESPACE,
    labels={"app": "metallb", "component": "controller"},
)
CONNECTOR = Pods(name="cloudflared", namespace=connector.NAMESPACE, labels=connector.LABELS)
PROBE = Pods(name="edge-probe", namespace=connector.NAMESPACE, labels=edge_probe.LABELS)


def traffic_of(settings: Settings) -> Traffic:
    """Return the map of a stack."""
    return Traffic(
        edges=(
            *_way_in(settings),
            *_application(settings),
            *_cluster(settings),
            *watching(settings),
            *certificates(settings),
            *ingress(settings),
        )
    )


def _way_in(settings: Settings) -> Iterator[Edge]:
    yield asks_names(CONNECTOR)
    yield Edge(
        source=CONNECTOR,
        target=INTERNET,
        tcp=(7844, 443),
        udp=(7844,),
        why="Cloudflare's edge, and 443 for its other services",
    )
    for portal, port in portals(settings):
        yield Edge(source=CONNECTOR, target=portal, tcp=(port,), why="requests out of the tunnel")
    yield asks_names(PROBE)
    yield Edge(source=PROBE, target=INTERNET, tcp=(443,), why="a page through the edge")


def _application(settings: Settings) -> Iterator[Edge]:
    for portal, port in portals(settings):
        why = "its address is the network's; who came by another node has that node's address"
        yield Edge(source=ANYBODY, target=portal, tcp=(port,), why=why)
    for portal, _ in portals(settings):
        yield from _database(settings, portal)


def _database(settings: Settings, portal: Pods) -> Iterator[Edge]:
    address, database, cache = settings.network.database_address, settings.database, settings.redis
    if not (address and database and cache):
        return
    first = Outside(name="database", networks=(IPv4Network(address),))
    yield Edge(source=portal, target=first, tcp=(database.port, cache.port), why="data and cache")
    others = tuple(IPv4Network(a) for a in database.fallback if isinstance(a, IPv4Address))
    if others:
        other = Outside(name="database-fallback", networks=others)
        yield Edge(source=portal, target=other, tcp=(database.port,), why="without the first")


def _cluster(settings: Settings) -> Iterator[Edge]:
    api, network = api_server(settings), cluster_network(settings)
    resolvers = tuple(IPv4Network(address) for address in settings.network.dns)
    why = "asked first by a pod that is new, before every node knows its address"
    yield Edge(source=network, target=DNS, tcp=(53,), udp=(53,), why=why)
    yield Edge(
        source=DNS,
        target=Outside(name="resolvers", networks=resolvers),
        tcp=(53,),
        udp=(53,),
        why="names outside",
    )
    yield Edge(source=DNS, target=api, tcp=(API_PORT,), why="services and their pods")
    yield Edge(
        source=network,
        target=METRICS_SERVER,
        tcp=(KUBELET_PORT,),
        why="the API asks for the autoscaler",
    )
    yield Edge(source=METRICS_SERVER, target=nodes(settings), tcp=(KUBELET_PORT,), why="figures")
    for watcher in (METRICS_SERVER, VOLUMES, BALANCER):
        yield Edge(source=watcher, target=api, tcp=(API_PORT,), why="objects that it watches")
