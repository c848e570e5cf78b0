"""Three servers and an agent: they join, pods talk, a server dies, a snapshot comes back, nothing is left."""

from __future__ import annotations

import json

import pytest

from tests.lab.machines.conftest import MACHINES

from .conftest import SERVERS, TOKEN, Cluster, until

pytestmark = pytest.mark.machines

FIRST, SECOND, THIRD = SERVERS
AGENT = "db-node3"  # any machine will do
ADDRESS = {name: machine["address"] for name, machine in MACHINES.items()}
DISABLED = ["traefik", "servicelb", "metrics-server", "local-storage"]


def nodes(cluster: Cluster, on: str = FIRST) -> dict[str, bool]:
    """Return the nodes by name, and whether each is ready."""
    items = json.loads(cluster.kubectl("get nodes -o json", on))["items"]
    return {
        item["metadata"]["name"]: any(
            c["type"] == "Ready" and c["status"] == "True" for c in item["status"]["conditions"]
        )
        for item in items
    }


def web(name: str, node: str) -> list[object]:
    """Return a pod on a node that serves its own name, and a service before it."""
    labels = {"app": name}
    serve = "mkdir -p /tmp/w && hostname >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"
    container = {"name": "web", "image": "lab/debug:1", "args": ["-c", serve]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "nodeName": node,
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


@pytest.fixture(scope="module")
def three(cluster):
    """Three servers, as the stack has them."""
    for name in SERVERS:
        cluster.machine(name)
    cluster.install(FIRST, "server", **{"cluster-init": True, "disable": DISABLED})
    for name in (SECOND, THIRD):
        join = {"server": f"https://{ADDRESS[FIRST]}:6443", "disable": DISABLED}
        cluster.install(name, "server", **join)
    for name in SERVERS:
        cluster.took[name] = cluster.start(name)
    cluster.took["ready"] = until(
        lambda: nodes(cluster) == dict.fromkeys(SERVERS, True), 90, "three nodes ready"
    )
    print(cluster.took)
    return cluster


def test_three_servers_are_ready_and_say_that_they_are_a_stand_in(three):
    assert set(nodes(three)) == set(SERVERS)
    said = three.lab.machines[FIRST].ssh("k3s --version")
    assert said.startswith("k3s version v1.33")
    assert "STAND-IN" in said


def test_a_pod_finds_another_by_name_on_another_machine(three):
    three.apply(*web("here", FIRST), *web("there", SECOND))

    def answered() -> bool:
        return three.kubectl("exec here -- wget -qO- -T 2 http://there").strip() == "there"

    until(lambda: "coredns" in three.kubectl("get pods -n kube-system"), 60, "CoreDNS")
    took = until(answered, 90, "a pod by its service's name")
    print("pods talk", took)


def test_logs_and_the_api_from_outside_work_with_the_kubeconfig(three):
    config = three.lab.machines[FIRST].ssh("cat /etc/rancher/k3s/k3s.yaml")
    outside = config.replace("127.0.0.1", ADDRESS[THIRD])
    third = three.lab.machines[THIRD]

    said = third.ssh(f"cat >/tmp/outside.yaml <<'END'\n{outside}\nEND\n"
                     "KUBECONFIG=/tmp/outside.yaml k3s kubectl exec here -- hostname")  # fmt: skip

    assert said.strip() == "here"
