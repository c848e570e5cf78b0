"""The lab's registry: nodes that know its authority pull from it, what is there by digest stays."""

from __future__ import annotations

import pytest

from lab.kubernetes import Image, Registry
from lab.machines.host import HostError
from lab.serve import Authority
from tests.lab.machines.conftest import GATEWAY

from .conftest import SERVERS, Cluster

pytestmark = [pytest.mark.machines, pytest.mark.cluster]

NAME = "cold-backend:v1.5.173"


def image(cluster: Cluster, *words: str) -> Image:
    busybox = cluster.release.folder / "busybox"
    files = {"bin/busybox": busybox, "bin/sleep": "busybox"}
    return Image(name=NAME, files=files, entrypoint=("/bin/busybox", *words))


@pytest.fixture(scope="module")
def registry(cluster: Cluster) -> Registry:
    program = cluster.release.tools.root / "cluster/registry"
    made = Registry(
        network=cluster.lab.network,
        address=GATEWAY.ip,
        program=program,
        authority=Authority(cluster.lab.network.place.folder / "authority"),
    )
    made.start()
    return made


def test_a_node_pulls_what_was_pushed_and_a_second_push_is_another_digest(cluster, registry):
    first = registry.push(image(cluster, "sleep", "1"))
    assert first == registry.push(image(cluster, "sleep", "1"))
    assert first != registry.push(image(cluster, "sleep", "2"))

    machine = cluster.machine(SERVERS[0])
    machine.wait_for_ssh(60)
    machine.ssh(
        f"mkdir -p /etc/rancher/k3s && cat >/etc/rancher/k3s/ca.pem <<'END'\n"
        f"{registry.authority.certificate.read_text()}END\n"
        "cat >/etc/rancher/k3s/registries.yaml <<'END'\n"
        f"mirrors: {{docker.io: {{endpoint: ['{registry.endpoint}']}}}}\n"
        f"configs: {{'{registry.endpoint.removeprefix('https://')}': "
        "{tls: {ca_file: /etc/rancher/k3s/ca.pem}}}\n"
        "END\n"
    )
    cluster.install(SERVERS[0], "server", **{"cluster-init": True})
    cluster.start(SERVERS[0])

    name, _, digest = first.partition("@")
    hosts = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
    pull = f"k3s ctr images pull --hosts-dir {hosts} docker.io"
    assert digest in machine.ssh(f"{pull}/{name}@{digest} 2>&1")
    with pytest.raises(HostError, match="certificate"):
        machine.ssh(f"curl -sS {registry.endpoint}/v2/")
