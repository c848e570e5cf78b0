"""What the map allows connects and nothing else does, asked by pods of every party on each node.

The tests tell one story in the order of the file: a cluster takes a minute to make.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from itertools import cycle

import pytest

from components.traffic_of_stack import traffic_of
from lab.machines.host import HostError
from ops.stack_files import settings_of
from tests.components.policy_semantics import End, in_map

from .conftest import until
from .populated import (
    ADDRESS,
    AGENT,
    NOBODYS_PORT,
    NODES,
    OUTSIDE,
    SERVER,
    STANDS_FOR,
    Place,
    Populated,
    a_pod,
    populated_cluster,
    serving,
)

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
LOG = logging.getLogger(__name__)
APPLICATION, PORTAL_PORT = "192.168.15.200", 8080
PORTAL = f"http://{APPLICATION}:{PORTAL_PORT}/"
API = "10.43.0.1"
LOOK_UP = "nslookup kubernetes.default.svc.cluster.local >/dev/null 2>&1 && echo told"
EMPLOYEES = {f"employee-{node}" for node in NODES}


@pytest.fixture(scope="module")
def populated(cluster, tmp_path_factory) -> Iterator[Populated]:
    traffic = traffic_of(settings_of("testing"))
    with populated_cluster(cluster, traffic, tmp_path_factory.mktemp("populated")) as made:
        yield made


@pytest.fixture(scope="module")
def reached(populated) -> dict[str, set[Place]]:
    # Each kind on one node asks those on both.
    asking = [f"{kind}-{node}" for kind, node in zip(populated.kinds, cycle(NODES))]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(asking, pool.map(populated.reached, asking), strict=True))


def test_what_the_map_allows_connects_and_nothing_else_does(populated, reached):
    expected = {name: populated.expected(name) for name in reached}
    asked = len(reached) * (len(populated.places()) - len(populated.ports))

    LOG.info("%d asked, %d connected", asked, sum(map(len, reached.values())))
    LOG.info("who reached whom:\n%s", "\n".join(table(populated, reached)))
    refused = {name: expected[name] - found for name, found in reached.items()}
    leaked = {name: found - expected[name] for name, found in reached.items()}
    assert not any(refused.values()), f"not let through: {refused}"
    assert not any(leaked.values()), f"let through: {leaked}"
    assert all(expected[name] for name in expected if not name.startswith("stranger"))


def table(populated: Populated, reached: dict[str, set[Place]]) -> Iterator[str]:
    """Yield a table: by kind of pod, at whose ports it gets an answer; nodes make no difference."""
    kind = {name: pod["metadata"]["labels"][STANDS_FOR] for name, pod in populated.pods.items()}
    for source in dict.fromkeys(kind.values()):
        answers: dict[str, set[int]] = {}
        for place in (p for name in reached if kind[name] == source for p in reached[name]):
            whose = populated.places()[place][0]
            answers.setdefault(kind.get(whose, whose), set()).add(place[1])
        told = (f"{w} {' '.join(map(str, sorted(p)))}" for w, p in sorted(answers.items()))
        yield f"  {source:24} -> {'; '.join(told) or 'nobody'}"


def test_names_are_told_to_those_who_may_ask(populated):
    (dns,) = populated.cluster.kubectl(
        "get endpoints kube-dns -n kube-system -o jsonpath={.subsets[*].addresses[*].ip}"
    ).split()
    server = End(IPv4Address(dns), "kube-system", {"k8s-app": "kube-dns"})

    told = {n for n in populated.pods if "told" in populated.inside(n, f"{LOOK_UP} || true")}

    assert told == {
        name for name in populated.pods
        if in_map(populated.traffic, populated.end(name), server, ("UDP", 53))
    }  # fmt: skip
    assert {"cloudflared", "edge-probe", "free"} == {name.partition("-k3s")[0] for name in told}


def test_the_api_is_reached_by_its_address_in_the_cluster(populated):
    ask = f"wget -q -O - -T 2 http://{API}:443/ 2>&1 | grep -q 'server returned' && echo answered"

    answered = {n for n in populated.pods if "answered" in populated.inside(n, f"{ask} || true")}

    assert {name.partition("-k3s")[0] for name in answered} == {
        *("dns", "metrics-server", "local-path-provisioner", "metallb-controller", "free")
    }


def test_who_comes_by_the_applications_address_gets_to_pods_on_both_nodes(populated):
    populated.cluster.apply(_service())
    network = populated.cluster.lab.network
    network.ip("route", "replace", f"{APPLICATION}/32", "via", ADDRESS[SERVER])

    def from_outside() -> set[str]:
        ask = f"for n in $(seq 20); do curl -s -m 2 {PORTAL}; done"
        return set(network.run("sh", "-c", ask).split())

    until(lambda: from_outside() == EMPLOYEES, 30, "both pods answer who comes from outside")
    for node in NODES:
        assert answering(populated, f"cloudflared-{node}") == EMPLOYEES
        assert answering(populated, f"edge-probe-{node}") == set()


def answering(populated: Populated, source: str) -> set[str]:
    """Return who answers a pod at the application's address, often enough to meet everybody."""
    ask = f"for n in $(seq 20); do wget -q -O - -T 2 {PORTAL} 2>/dev/null & done; wait"
    return set(populated.inside(source, ask).split())


def test_a_pod_that_comes_to_serve_takes_no_request_with_it(populated):
    labels = populated.end(f"employee-{SERVER}").labels
    more = [
        a_pod(
            f"more-{node}",
            "application",
            node,
            {**labels, STANDS_FOR: "employee"},
            script=serving(populated.ports),
            ready_at=NOBODYS_PORT,
        )
        for node in NODES
    ]
    connectors = [f"cloudflared-{node}" for node in NODES]
    once = f"wget -q -O - -T 2 {PORTAL} 2>/dev/null || echo lost"
    ask = f"for n in $(seq 5000); do [ ! -e /tmp/enough ] || exit 0; {once}; done"

    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(populated.inside, name, ask) for name in connectors]
        populated.add(*more)
        everybody = {*EMPLOYEES, *(f"more-{node}" for node in NODES)}
        until(lambda: answering(populated, connectors[0]) == everybody, 30, "the new ones serve")
        for name in connectors:
            populated.inside(name, "touch /tmp/enough")
        answers = Counter(line for one in asking for line in one.result().split())

    LOG.info("while pods came to serve: %s", dict(answers))
    assert answers.keys() == everybody


def _service() -> dict[str, object]:
    """Return the portal's service; kube-proxy does the same for what MetalLB announces."""
    labels = {"app.kubernetes.io/component": "employee"}
    ports = [{"port": PORTAL_PORT, "targetPort": PORTAL_PORT}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "employee", "namespace": "application"},
        "spec": {"selector": labels, "externalIPs": [APPLICATION], "ports": ports},
    }


def test_kubelet_asks_the_pods_of_its_node_whatever_the_policies_say_and_no_others(populated):
    # It does: they are in the service of the test before only if they are ready.
    at = {node: populated.address(f"employee-{node}") for node in NODES}

    def answers(source: str, target: str) -> bool:
        ask = f"curl -s -m 3 http://{at[target]}:{NOBODYS_PORT}/ || true"
        return bool(populated.cluster.lab.machines[source].ssh(ask).strip())

    assert answers(SERVER, SERVER)
    assert answers(AGENT, AGENT)
    assert not answers(SERVER, AGENT)
    assert not answers(AGENT, SERVER)


def test_a_new_pod_is_told_names_at_once_and_is_soon_held_to_its_policy(populated):
    forbidden = f"http://{OUTSIDE['internet']}:{PORTAL_PORT}/"
    # In hundredths of a second since the computer's start, but for the dot.
    script = (
        f"{LOOK_UP}; read start _ </proc/uptime; "
        f"while wget -q -O - -T 1 {forbidden} >/dev/null 2>&1; do sleep 0.05; done; "
        "read end _ </proc/uptime; echo $start $end; exec sleep 1000"
    )
    labels = {**populated.end(f"edge-probe-{SERVER}").labels, STANDS_FOR: "new"}
    new = [a_pod(f"new-{node}", "tunnel", node, labels, script=script) for node in NODES]

    populated.add(*new)

    for node in NODES:
        logs = f"logs --namespace=tunnel new-{node}"
        until(lambda words=logs: len(populated.cluster.kubectl(words).split()) == 3, 30, "held")
        told, start, end = populated.cluster.kubectl(logs).split()
        LOG.info("a new pod on %s was free for %.1f s", node, float(end) - float(start))
        assert told == "told"


def test_without_policies_everybody_reaches_everybody(populated):
    populated.cluster.kubectl("delete networkpolicies --all --all-namespaces")
    source = f"employee-{AGENT}"
    own = str(populated.address(source))
    everywhere = {place for place in populated.places() if place[0] != own}
    # The pods of the test before serve nothing.
    new = {str(populated.address(f"new-{node}")) for node in NODES}
    served = {place for place in everywhere if place[0] not in new}

    until(lambda: populated.reached(source) == served, 60, "all that serves is reached")
    with pytest.raises(HostError):
        populated.cluster.kubectl("get networkpolicy nothing-else")
