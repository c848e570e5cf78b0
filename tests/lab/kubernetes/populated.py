"""A cluster under the policies of the map, with pods that stand for every party on every node."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from components.network_policies import policies
from components.traffic import Traffic
from components.traffic_of_stack import OWN_NAMESPACES
from components.traffic_parties import DNS
from lab import internet
from lab.internet import Site
from tests.components.policy_semantics import End, governed, in_map
from tests.lab.machines.conftest import GATEWAY, MACHINES, NETWORK

from .conftest import SERVERS, Cluster, until
from .test_cluster import DISABLED, ready

SERVER, AGENT = SERVERS[:2]
NODES = (SERVER, AGENT)
ADDRESS = {node: MACHINES[node]["address"] for node in NODES}
STANDS_FOR = "coldstorage/stands-for"
NOBODYS_PORT = 9
API_PORT, KUBELET_PORT = 6443, 10250
ELSEWHERE = "elsewhere"
OUTSIDE = {
    "database": NETWORK["database_address"],
    "fallback": "192.168.15.195",
    "stranger on the network": "192.168.15.77",
    "resolver": NETWORK["dns"][0],
    "internet": Site.EDGE.address,
}
# All at once: a kernel tells who is refused once a second and no more often, so that most wait.
ASK = """\
ask() {
    said=$(wget -q -O - -T 3 "http://$1:$2/" 2>&1)
    case $said in
    *"can't connect"* | *"timed out"*) ;;
    *) echo "$1 $2" ;;
    esac
}
asked=0
while read -r address port; do
    ask "$address" "$port" &
    asked=$((asked + 1))
    [ $((asked % 100)) -gt 0 ] || wait
done
wait
"""
LISTEN = """\
import http.server, sys, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
for port in map(int, sys.argv[1:]):
    server = http.server.ThreadingHTTPServer(("", port), Page)
    threading.Thread(target=server.serve_forever).start()
print("listening", flush=True)
"""

Place = tuple[str, int]
"""An address and a port."""


@dataclass
class Populated:
    """The cluster, and who is in it."""

    cluster: Cluster
    traffic: Traffic
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        """Return for whom pods stand."""
        return list(dict.fromkeys(p["metadata"]["labels"][STANDS_FOR] for p in self.pods.values()))

    @property
    def ports(self) -> list[int]:
        return sorted({NOBODYS_PORT}.union(*(edge.tcp for edge in self.traffic.edges)))

    @property
    def everything(self) -> list[Any]:
        """Return all policies of the map."""
        return [b for n in sorted(governed(self.traffic)) for b in policies(self.traffic, n)]

    def end(self, name: str) -> End:
        """Return a pod as its policies see it."""
        told = self.pods[name]["metadata"]
        return End(self.address(name), told["namespace"], told["labels"])

    def address(self, name: str) -> IPv4Address:
        return IPv4Address(self.pods[name]["status"]["podIP"])

    def places(self) -> dict[Place, tuple[str, End]]:
        """Return who is where: all that is asked for, each somewhere where somebody listens."""
        ends = {name: self.end(name) for name in self.pods}
        ends |= {name: End(IPv4Address(address)) for name, address in OUTSIDE.items()}
        found = {
            (str(end.address), port): (name, end) for name, end in ends.items()
            for port in self.ports
        }  # fmt: skip
        own = [(SERVER, API_PORT), *((node, KUBELET_PORT) for node in NODES)]
        return found | {
            (ADDRESS[node], port): (node, End(IPv4Address(ADDRESS[node]))) for node, port in own
        }

    def reached(self, source: str) -> set[Place]:
        """Return where a pod gets an answer."""
        own = str(self.address(source))
        asked = [f"{address} {port}" for address, port in self.places() if address != own]
        said = self.inside(source, ASK, "\n".join(asked))
        return {(a, int(p)) for a, p in (line.split() for line in said.splitlines())}

    def expected(self, source: str) -> set[Place]:
        """Return where the map says that it gets one."""
        me = self.end(source)
        return {
            place for place, (name, end) in self.places().items()
            if name != source and in_map(self.traffic, me, end, ("TCP", place[1]))
        }  # fmt: skip

    def inside(self, pod: str, script: str, told: str = "") -> str:
        """Run a shell script in a pod."""
        namespace = self.pods[pod]["metadata"]["namespace"]
        words = f"--namespace={namespace} exec -i {pod} -- sh -c {shlex.quote(script)}"
        return self.cluster.kubectl(f"{words} <<'END'\n{told}\nEND")

    def add(self, *pods: dict[str, Any]) -> None:
        """Have more pods, and wait until every node has heard of them."""
        self.cluster.apply(*pods)
        until(self._all_have_addresses, 90, "all pods have addresses")
        until(self._enforced, 60, "every node has heard of all pods")

    def _all_have_addresses(self) -> bool:
        said = json.loads(self.cluster.kubectl(f"get pods -A -l {STANDS_FOR} -o json"))
        self.pods = {pod["metadata"]["name"]: pod for pod in said["items"]}
        return bool(self.pods) and all("podIP" in pod["status"] for pod in self.pods.values())

    def _enforced(self) -> bool:
        """Tell whether each node knows all pods with policies, and filters its own."""
        mine = {n: p for n, p in self.pods.items()
                if p["metadata"]["namespace"] in governed(self.traffic)}  # fmt: skip
        for node in NODES:
            # What K3s carries for hosts that have none of their own.
            tools = "PATH=$PATH:/var/lib/rancher/k3s/data/current/bin/aux"
            said = self.cluster.lab.machines[node].ssh(f"{tools}; ipset save; iptables-save")
            known = set(said.split())
            for name, pod in mine.items():
                local = pod["spec"]["nodeName"] == node
                if pod["status"]["podIP"] not in known or (local and f"name:{name} " not in said):
                    return False
        return True


def standing_for(populated: Populated) -> Iterator[dict[str, Any]]:
    """Yield a pod for each party on each node, and strangers: one of each namespace's kinds."""
    strangers = [("stranger", "default", {}), ("free", ELSEWHERE, {})]
    parties = [(p.name, p.namespace, p.labels) for p in populated.traffic.pods()]
    serve = serving(populated.ports)
    for node in NODES:
        for name, namespace, labels in (*parties, *strangers):
            told = {**labels, STANDS_FOR: name}
            # One that were ready would be asked for names, and has none.
            at = None if name == DNS.name else NOBODYS_PORT
            yield a_pod(f"{name}-{node}", namespace, node, told, script=serve, ready_at=at)


def serving(ports: list[int]) -> str:
    """Return a script that serves the pod's name at many ports."""
    return (
        "mkdir -p /tmp/w && hostname >/tmp/w/index.html && "
        f"for port in {' '.join(map(str, ports))}; do httpd -p $port -h /tmp/w; done; "
        "exec sleep 100000"
    )


def a_pod(
    name: str,
    namespace: str,
    node: str,
    labels: dict[str, str],
    *,
    script: str,
    ready_at: int | None = None,
) -> dict[str, Any]:
    """Return a pod that kubelet asks at a port; without one it never is ready, nor in a service."""
    probe: dict[str, Any] = {"exec": {"command": ["/bin/test", "-e", "/never"]}}
    if ready_at:
        probe = {"httpGet": {"path": "/", "port": ready_at}, "periodSeconds": 1}
    container = {
        "name": "pod",
        "image": "lab/debug:1",
        "args": ["-c", script],
        "readinessProbe": probe,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "containers": [container],
        },
    }


@contextmanager
def populated_cluster(cluster: Cluster, traffic: Traffic, folder: Path) -> Iterator[Populated]:
    """Have a server and an agent, the policies, and only then the pods."""
    made = Populated(cluster, traffic)
    network = cluster.lab.network
    internet.attach(network, [OUTSIDE["resolver"]])
    for name in ("database", "fallback", "stranger on the network"):
        prefix = GATEWAY.network.prefixlen
        network.ip("address", "replace", f"{OUTSIDE[name]}/{prefix}", "dev", "br0")
    words = ("python3", "-c", LISTEN, *map(str, made.ports))
    log = folder / "outside.log"
    with log.open("w") as out:
        outside = subprocess.Popen(network.command(*words), stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: "listening" in log.read_text(), 10, "those outside listen")
        _nodes(cluster)
        names = sorted({*governed(traffic), ELSEWHERE} - {*OWN_NAMESPACES})
        cluster.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                        for name in names))  # fmt: skip
        cluster.apply(*made.everything)
        accounts = "get serviceaccounts -A --field-selector=metadata.name=default -o name"
        everywhere = len({*names, *OWN_NAMESPACES})
        until(lambda: len(cluster.kubectl(accounts).split()) == everywhere, 30, "accounts")
        made.add(*standing_for(made))
        yield made
    finally:
        outside.terminate()
        outside.wait(15)


def _nodes(cluster: Cluster) -> None:
    for name in NODES:
        cluster.machine(name)
    for name in NODES:
        cluster.lab.machines[name].wait_for_ssh(60)
        cluster.lab.machines[name].ssh(f"echo nameserver {OUTSIDE['resolver']} >/etc/resolv.conf")
    cluster.install(SERVER, "server", **{"cluster-init": True, "disable": DISABLED})
    cluster.took["server"] = cluster.start(SERVER)
    cluster.install(AGENT, "agent", server=f"https://{ADDRESS[SERVER]}:{API_PORT}")
    cluster.took["agent"] = cluster.start(AGENT, unit="k3s-agent")
    until(lambda: ready(cluster, SERVER) == set(NODES), 90, "both nodes are ready")
