"""They join, pods talk, a server dies, a snapshot comes back, and in the end nothing is left.

The tests tell one story in the order of the file: a cluster takes a minute to make.
"""

from __future__ import annotations

import json

import pytest

from lab.machines.host import HostError
from tests.lab.machines.conftest import DATABASE, MACHINES

from .conftest import SERVERS, TOKEN, Cluster, until

pytestmark = [pytest.mark.machines, pytest.mark.cluster]

FIRST, SECOND, THIRD = SERVERS
AGENT = DATABASE[0]  # any machine will do
ADDRESS = {name: machine["address"] for name, machine in MACHINES.items()}
DISABLED = ["traefik", "servicelb", "metrics-server", "local-storage"]
JOIN = {"server": f"https://{ADDRESS[FIRST]}:6443", "disable": DISABLED}
# Who joins a cluster made by others brings its own authority for nothing.
OWN_CA = """\
mkdir -p /var/lib/rancher/k3s/server/tls && cd /var/lib/rancher/k3s/server/tls &&
openssl ecparam -name prime256v1 -genkey -noout -out server-ca.key &&
openssl req -x509 -new -key server-ca.key -subj /CN=made-before-k3s -days 9 -out server-ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,digitalSignature
"""


def ready(cluster: Cluster, on: str) -> set[str]:
    """Return the nodes that are ready."""
    items = json.loads(cluster.kubectl("get nodes -o json", on))["items"]
    return {
        item["metadata"]["name"]
        for item in items
        for condition in item["status"]["conditions"]
        if (condition["type"], condition["status"]) == ("Ready", "True")
    }


def with_token(token: str, server: str = "") -> str:
    """Return shell words after which $config names a configuration with another token."""
    text = json.dumps({"token": token, **({"server": server} if server else {})})
    return f"echo '{text}' >/run/other.yaml; config=--config=/run/other.yaml;"


def web(name: str, node: str) -> list[object]:
    """Return a pod on a node that serves its own name, and a service before it."""
    serve = "mkdir -p /tmp/w && hostname >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"
    container = {"name": "web", "image": "lab/debug:1", "args": ["-c", serve]}
    pod = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
    service = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    metadata = {"name": name, "labels": {"app": name}}
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]


@pytest.fixture(scope="module")
def three(cluster: Cluster) -> Cluster:
    """Three servers, as the stack has them; the first was given an authority of its own."""
    for name in SERVERS:
        cluster.machine(name)
    cluster.lab.machines[FIRST].wait_for_ssh(60)
    cluster.lab.machines[FIRST].ssh(OWN_CA)
    cluster.install(FIRST, "server", **{"cluster-init": True, "disable": DISABLED})
    for name in (SECOND, THIRD):
        cluster.install(name, "server", **JOIN)
    # A server that is told to join one that does not answer ends, as K3s does.
    cluster.took["first server"] = cluster.start(FIRST)
    cluster.took["two more servers"] = cluster.start(SECOND, THIRD)
    cluster.took["all ready"] = until(lambda: ready(cluster, FIRST) == set(SERVERS), 90, "ready")
    return cluster


def test_three_servers_are_ready_and_say_that_they_are_a_stand_in(three):
    said = three.lab.machines[FIRST].ssh("k3s --version")

    assert ready(three, FIRST) == set(SERVERS)
    assert said.startswith("k3s version v1.33")
    assert "STAND-IN" in said


def test_an_authority_that_was_there_before_is_the_clusters(three):
    for name in SERVERS:
        chain = three.lab.machines[name].ssh(
            "openssl x509 -noout -issuer -in "
            "/var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt"
        )
        assert "made-before-k3s" in chain


def test_a_pod_finds_another_by_name_on_another_machine(three):
    three.apply(*web("here", FIRST), *web("there", SECOND))

    def answered() -> bool:
        return three.kubectl("exec here -- wget -qO- -T 2 http://there").strip() == "there"

    three.took["pods talk"] = until(answered, 90, "a pod by its service's name")


def test_a_kubeconfig_works_from_elsewhere_and_for_a_shell_in_a_pod(three):
    config = three.lab.machines[FIRST].ssh("cat /etc/rancher/k3s/k3s.yaml")
    outside = config.replace("127.0.0.1", ADDRESS[FIRST])
    third = three.lab.machines[THIRD]

    third.ssh(f"cat >/run/outside.yaml <<'END'\n{outside}\nEND")
    said = third.ssh("KUBECONFIG=/run/outside.yaml k3s kubectl exec here -- hostname")

    assert said.strip() == "here"


def test_nobody_may_say_by_a_header_who_he_is(three):
    code = three.lab.machines[THIRD].ssh(
        "curl -sk -o /dev/null -w '%{http_code}' -H 'X-Remote-User: admin' "
        f"-H 'X-Remote-Group: system:masters' https://{ADDRESS[FIRST]}:6443/api/v1/secrets"
    )

    assert code == "401"


def test_an_agent_joins_and_a_wrong_token_is_refused_with_clear_words(three):
    machine = three.install(AGENT, "agent", server=JOIN["server"])
    for wrong, words in (
        ("not-it", "401 Unauthorized: token: not one of this cluster's"),
        ("K10" + "0" * 64 + f"::node:{TOKEN}", "token CA hash does not match"),
    ):
        with pytest.raises(HostError, match=words):
            machine.ssh(f"{with_token(wrong, JOIN['server'])} timeout 30 k3s agent $config")

    three.took["agent"] = three.start(AGENT, unit="k3s-agent")
    until(lambda: AGENT in ready(three, FIRST), 60, "the agent is ready")


def test_the_api_and_the_agent_go_on_when_the_first_server_loses_its_power(three):
    three.lab.machines[FIRST].power_cut()

    three.took["writes after a power cut"] = until(
        lambda: "created" in three.kubectl("create configmap written --from-literal=a=b", SECOND),
        60,
        "a write",
    )
    three.apply(*web("late", AGENT), on=SECOND)
    late = "get pod late -o jsonpath={.status.phase}"
    until(lambda: three.kubectl(late, SECOND) == "Running", 60, "the agent starts a pod")

    three.lab.machines[FIRST].boot()
    three.took["boot to ready"] = until(
        lambda: ready(three, FIRST) == {*SERVERS, AGENT}, 90, "the first server is back"
    )


def test_a_snapshot_comes_back_on_a_server_that_lost_everything(three):
    first, second = three.lab.machines[FIRST], three.lab.machines[SECOND]
    second.ssh("k3s etcd-snapshot save --name kept --dir /var/tmp/snapshots")
    three.kubectl("create configmap later --from-literal=a=b", SECOND)
    (snapshot,) = second.ssh("ls /var/tmp/snapshots").split()
    for name in SERVERS:
        three.lab.machines[name].ssh("systemctl stop k3s")
    # Not even its certificates are left: they come out of the snapshot, by the token.
    second.ssh("rm -rf /var/lib/rancher/k3s/server")

    reset = f"k3s server --cluster-reset --cluster-reset-restore-path=/var/tmp/snapshots/{snapshot}"
    with pytest.raises(HostError, match="different token"):
        second.ssh(f"{with_token('wrong')} {reset} $config --data-dir=/var/lib/rancher/else")
    second.ssh(reset)
    three.took["start after a reset"] = three.start(SECOND)

    maps = three.kubectl("get configmaps -o name", SECOND).split()
    assert "configmap/written" in maps
    assert "configmap/later" not in maps

    first.ssh("rm -rf /var/lib/rancher/k3s/server/db")
    three.install(FIRST, "server", **{**JOIN, "server": f"https://{ADDRESS[SECOND]}:6443"})
    three.took["rejoin"] = three.start(FIRST)


def test_a_deleted_node_leaves_etcd_and_its_name_can_be_given_again(three):
    first, second = three.lab.machines[FIRST], three.lab.machines[SECOND]
    members = f"curl -sk -u server:{TOKEN} https://{ADDRESS[SECOND]}:6443/db/info"
    both = {f"https://{ADDRESS[name]}:2379" for name in (FIRST, SECOND)}
    assert set(json.loads(second.ssh(members))) == both

    three.kubectl(f"delete node {FIRST}", SECOND)
    until(lambda: len(json.loads(second.ssh(members))) == 1, 60, "its member has left")
    first.ssh("systemctl stop k3s; rm -rf /var/lib/rancher/k3s/server/db /etc/rancher/node")
    three.start(FIRST)

    assert set(json.loads(second.ssh(members))) == both
    until(lambda: FIRST in ready(three, SECOND), 60, "a machine of the same name is ready")


def test_uninstalling_leaves_nothing_but_the_machines_password(three):
    machine = three.lab.machines[AGENT]

    machine.ssh("k3s-agent-uninstall.sh")

    left = machine.ssh(
        "find /etc/rancher /var/lib/rancher /var/lib/kubelet /run/k3s /run/flannel /var/lib/cni "
        "/usr/local/bin /etc/systemd/system/k3s* -type f 2>/dev/null || true"
    )
    assert left.split() == ["/etc/rancher/node/password"]  # as K3s does
    assert not machine.ssh("ps -eo args | grep -E '[c]ontainerd|[k]ube|[k]3s ' || true")
    assert "cni0" not in machine.ssh("ip -br link")
