"""A cluster behind a tunnel: what the program asks Cloudflare and the cluster for, in the lab.

The program runs on the recording engine; what it registers is made in the lab's Cloudflare and
applied to real Kubernetes. Cloudflare, its edge and the connector are STAND-INS; the pods are real.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pulumi

from components.connector import Connector, ConnectorArgs
from components.edge_probe import EdgeProbe, EdgeProbeArgs
from components.in_cluster import Inside
from components.traffic import Edge, Outside, Traffic
from components.traffic_of_stack import CONNECTOR, traffic_of
from lab import internet
from lab.clouds import Cloud, Records
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID, cloudflare
from lab.clouds.tunnels import tunnel_token
from lab.internet import Site
from lab.kubernetes import Registry
from lab.machines import Network
from lab.serve import Authority
from lab.tunnel_images import pinned_in
from lab.visitor import Answer, Visitor
from ops.stack_files import settings_of
from tests.components.test_way_in import way_in
from tests.lab.machines.conftest import NETWORK, ROOT, STACK
from tests.recording import Registered, run
from toolchain.cache import Cache

from .conftest import SERVERS, Cluster

DOMAIN = STACK["coldstorage:environment"]["domain"]
RESOLVER = NETWORK["dns"][0]
APPLICATION = NETWORK["application_address"]
PORTS = (8080, 8081)
# What others are made of comes first.
MADE_IN_ORDER = (
    "ZeroTrustAccessPolicy",
    "ZeroTrustAccessApplication",
    "ZeroTrustTunnelCloudflared",
    "ZeroTrustTunnelCloudflaredConfig",
    "DnsRecord",
)


def whole(value: Any) -> Any:
    """Return a document as the providers send it: the recording engine has no integers."""
    return json.loads(json.dumps(value), parse_float=lambda text: int(float(text)))


def declared(flare: Cloud) -> str:
    """Make in the lab's Cloudflare what the program registers there; return the tunnel's token."""
    secret = base64.b64encode(b"0123456789abcdef" * 2).decode()
    found: list[Registered] = [r for r in run(way_in).resources if r.custom]
    ids = {"tunnelSecret": secret, "accountId": ACCOUNT_ID, "zoneId": ZONE_ID}
    known: dict[str, str] = {}
    for kind in MADE_IN_ORDER:
        for one in (r for r in found if r.type.endswith(f":{kind}")):
            text = json.dumps({k: ids.get(k, value) for k, value in whole(one.inputs).items()})
            for stand_in, real in known.items():
                text = text.replace(stand_in, real)
            known[f"{one.name}-id"] = flare.create(kind, json.loads(text)).id
    (tunnel,) = flare.records.of("ZeroTrustTunnelCloudflared")
    return tunnel_token(tunnel)


def _with_the_application_outside(traffic: Traffic) -> Traffic:
    """Return the map where the application is none of the cluster's pods, as here."""
    application = Outside(name="application", networks=(IPv4Network(APPLICATION),))
    edge = Edge(source=CONNECTOR, target=application, tcp=PORTS, why="requests out of the tunnel")
    return Traffic(edges=(*traffic.edges, edge))


def manifests(
    token: str, images: dict[str, str], connectors: int, traffic: Traffic
) -> list[dict[str, Any]]:
    """Return what the program asks the cluster for."""

    def program() -> None:
        inside = Inside(
            provider=pulumi.ProviderResource("kubernetes", "k", {}),
            cluster=pulumi.CustomResource("test:index:Cluster", "nodes", {}),
            kubeconfig=pulumi.Output.secret("none"),
            traffic=_with_the_application_outside(traffic),
        )
        args = ConnectorArgs(image=images["connector_image"], replicas=connectors, token=token)
        connector = Connector("connector", args, inside)
        probe = EdgeProbeArgs(
            image=images["probe_image"],
            url=f"https://{DOMAIN}/",
            connectors=connectors,
            guarded=connector.guarded,
        )
        EdgeProbe("probe", probe, inside)

    return [whole(r.inputs) for r in run(program).resources if r.type.startswith("kubernetes:")]


@dataclass
class Behind:
    """The cluster, its tunnel, and visitors."""

    cluster: Cluster
    folder: Path
    registry: Registry

    def kubectl(self, words: str) -> str:
        return self.cluster.kubectl(f"--namespace=tunnel {words}")

    def objects(self, kind: str, *words: str) -> list[dict[str, Any]]:
        found = json.loads(self.kubectl(f"get {kind} -o json {' '.join(words)}"))
        return list(found["items"])

    def connectors(self) -> dict[str, bool]:
        """Return whether the connector of each node is ready."""
        return {
            pod["spec"].get("nodeName", "nowhere"): any(
                (c["type"], c["status"]) == ("Ready", "True") for c in pod["status"]["conditions"]
            )
            for pod in self.objects("pods", "--selector=app.kubernetes.io/name=cloudflared")
        }

    def hang_or_answer(self, node: str) -> None:
        """Have a connector answer nothing, or answer again."""
        self.cluster.lab.machines[node].ssh("pkill -USR1 -x cloudflared")

    def probe(self, name: str) -> str:
        """Have the probe made, and return how it went and what it said."""
        self.kubectl(f"create job {name} --from=cronjob/edge-probe")
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            (job,) = [j for j in self.objects("jobs") if j["metadata"]["name"] == name]
            went = {c["type"] for c in job["status"].get("conditions", []) if c["status"] == "True"}
            if ended := went & {"Complete", "Failed"}:
                return f"{ended.pop()}: {self.kubectl(f'logs job/{name}')}"
            time.sleep(0.5)
        raise AssertionError(f"{name} has not ended: {self.kubectl(f'describe job {name}')}")

    def visitor(self, name: str) -> Visitor:
        return Visitor(place=self.cluster.lab.place, cookies=self.folder / name)

    def ask(self, url: str, email: str = "") -> Answer:
        """Ask for a page, as somebody who has logged in before if a name is given."""
        who = self.visitor(email or "stranger")
        if email:
            who.log_in(url, email)
        return who.ask(url)


@contextmanager
def behind_the_tunnel(
    cluster: Cluster,
    folder: Path,
    servers: Sequence[str] = SERVERS,
    traffic: Traffic | None = None,
) -> Iterator[Behind]:
    """Have a cluster with a connector on each node, and what they need outside of it."""
    place, network = cluster.lab.place, cluster.lab.network
    internet.attach(network, [RESOLVER])
    network.ip("address", "replace", f"{APPLICATION}/24", "dev", "br0")
    authority = Authority(place.folder / "authority")
    flare = cloudflare(Records(place.folder / "cloudflare.json"), domain=DOMAIN)
    token = declared(flare)
    registry = Registry(
        network=network,
        address=Site.REGISTRY.value,
        program=cluster.release.tools.root / "cluster/registry",
        authority=authority,
    )
    registry.start()
    images = pinned_in(registry)["cloudflare"]
    with ExitStack() as running:
        _edge(network, authority, running)
        _application(network, folder, running)
        _nodes(cluster, registry, servers)
        allowed = traffic or traffic_of(settings_of("testing"))
        cluster.apply(*manifests(token, dict(images), len(servers), allowed))
        yield Behind(cluster, folder, registry)


def _edge(network: Network, authority: Authority, running: ExitStack) -> None:
    certificate = authority.issue("edge", Site.EDGE.address, DOMAIN, f"*.{DOMAIN}")
    folder = network.place.folder
    command = network.command(
        str(Cache.of_this_user().root / "lab" / "lab-edge"),
        "--listen", f"{Site.EDGE.address}:443", "--names", f"{RESOLVER}:53",
        "--certificate", str(certificate), "--records", str(folder / "cloudflare.json"),
        "--key", str(folder / "edge.key"),
    )  # fmt: skip
    beside(command, folder / "edge.log", running)


def _application(network: Network, folder: Path, running: ExitStack) -> None:
    """Serve something at the address of the application, which is not what is tested here."""
    pages = folder / "pages"
    (pages / "infrastructure").mkdir(parents=True)
    (pages / "index.html").write_text("the application\n")
    for port in PORTS:
        words = ("-m", "http.server", str(port), "--bind", APPLICATION, "--directory", str(pages))
        beside(network.command("python3", *words), folder / f"{port}.log", running)


def beside(command: list[str], log: Path, running: ExitStack) -> None:
    """Run a program until the stack ends."""
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)

    def end() -> None:
        process.terminate()
        process.wait(15)

    running.callback(end)


def _nodes(cluster: Cluster, registry: Registry, servers: Sequence[str]) -> None:
    mirror = {"endpoint": [registry.endpoint]}
    host = registry.endpoint.removeprefix("https://")
    registries = {
        "mirrors": {"*": mirror},
        "configs": {host: {"tls": {"ca_file": "/etc/rancher/k3s/lab.pem"}}},
    }
    for name in servers:
        cluster.machine(name)
    for name in servers:
        machine = cluster.lab.machines[name]
        machine.wait_for_ssh(60)
        machine.ssh(
            f"echo nameserver {RESOLVER} >/etc/resolv.conf && mkdir -p /etc/rancher/k3s && "
            f"cat >/etc/rancher/k3s/lab.pem <<'END'\n{registry.authority.certificate.read_text()}"
            f"END\ncat >/etc/rancher/k3s/registries.yaml <<'END'\n{json.dumps(registries)}\nEND"
        )
    disabled = ["traefik", "servicelb", "metrics-server", "local-storage"]
    first, *others = servers
    cluster.install(first, "server", **{"cluster-init": True, "disable": disabled})
    cluster.start(first)
    address = STACK["coldstorage:machines"][first]["address"]
    for name in others:
        cluster.install(name, "server", server=f"https://{address}:6443", disable=disabled)
    cluster.start(*others)
