"""What follows from the contract of a K3s node, and when K3s is started anew."""

from __future__ import annotations

import hashlib
import json
from ipaddress import IPv4Interface

import pytest

from hosts import k3s, k3s_upgrading
from hosts.k3s_configuration import admission, configuration
from hosts.k3s_release import Release
from hosts.started_before import StartedBefore

from .conftest import Operations, Recorded
from .k3s_wanted import ADMINISTRATOR, AGENTS, PEM, RELEASE, SECRETS, SERVERS, node

RESTART = "Restart K3s when it or its settings changed"
CONFIG = "/etc/rancher/k3s/config.yaml"


class Host:
    """A machine whose K3s has read all that it was given, unless a test says otherwise."""

    stale = False

    def get_fact(self, fact: type, **told: object) -> object:
        if fact is StartedBefore:
            assert told["service"] == "k3s.service"
            return self.stale
        return None


@pytest.fixture
def read(operations: Operations, monkeypatch) -> Operations:
    """Read the deploy of a server whose release is recorded as an operation too."""

    def released(**told: object) -> Recorded:
        operation = Recorded("released_file", told, operations)
        operations.all.append(operation)
        return operation

    monkeypatch.setattr(k3s, "released_file", released)
    for module in (k3s, k3s_upgrading):
        monkeypatch.setattr(module, "host", Host())
    for part in ("first_boot", "packages", "machine_for_k3s", "base", "hardening", "api_address"):
        monkeypatch.setattr(k3s, part, lambda _: None)
    return operations.read(k3s.k3s, node())


@pytest.mark.parametrize(
    "changed",
    ["Have K3s v1.33.6+k3s1", f"Write {CONFIG}", "Write how systemd runs K3s",
     "Write /etc/rancher/k3s/audit.yaml", "Write /etc/rancher/k3s/admission.yaml"],
)  # fmt: skip
def test_it_starts_anew_when_what_it_reads_at_a_start_changed(read, changed):
    read.changed = {changed}

    assert read[RESTART].runs


@pytest.mark.parametrize("started", ["Join the cluster, or found it", "Keep K3s running"])
def test_it_does_not_start_anew_right_after_its_start(read, started):
    read.changed = {f"Write {CONFIG}", started}

    assert not read[RESTART].runs


def test_it_starts_anew_when_a_deploy_ended_before_it_did(read, monkeypatch):
    monkeypatch.setattr(Host, "stale", True)

    assert read[RESTART].runs


def test_nothing_changed_and_nothing_is_restarted(read):
    assert not read[RESTART].runs


def test_only_root_reads_what_holds_a_secret(read):
    secrets = (*SECRETS.values(), " KEY-----", ADMINISTRATOR)
    written = [o for o in read.all if o.kind == "files.put"]
    secret = {o.told["dest"]: o for o in written if any(word in o.text for word in secrets)}

    assert {o.told["mode"] for o in secret.values()} == {"600"}
    assert {place.rpartition("/")[2] for place in secret} == {
        "token", "agent-token", "server-ca.key", "client-ca.key", "k3s-join.kubeconfig",
        "k3s-upgrade.kubeconfig",
    }  # fmt: skip


def test_no_secret_is_an_argument_of_a_command(read):
    told = " ".join(str(o.told.get("commands", "")) for o in read.all)

    assert not any(secret in told for secret in SECRETS.values())


def test_an_agent_knows_its_cluster_and_has_neither_the_servers_token_nor_their_keys(
    operations, read
):
    del read  # it replaces what the deploy calls
    operations.all.clear()
    operations.read(k3s.k3s, node("k3s-agent1"))
    texts = {o.told["dest"]: o.text for o in operations.all if o.kind == "files.put"}

    digest = hashlib.sha256((PEM.format("server-ca") + "\n").encode()).hexdigest()
    shown = texts["/etc/rancher/k3s/agent-token"].strip()
    assert shown == f"K10{digest}::node:{SECRETS['agent_token']}"
    assert not any(SECRETS["token"] in text or "KEY" in text for text in texts.values())


def test_certificates_hold_for_every_server_and_every_name_of_the_api():
    names = configuration(node())["tls-san"]

    assert {*names} == {
        "k3s.example.org", "192.168.15.205", *SERVERS, *map(str, SERVERS.values())
    }  # fmt: skip


def test_it_is_hardened_without_being_asked():
    told = configuration(node())
    api = told["kube-apiserver-arg"]

    assert told["protect-kernel-defaults"] is True
    assert told["secrets-encryption"] is True
    assert told["write-kubeconfig-mode"] == "600"
    assert "audit-log-path=/var/log/kubernetes/audit.log" in api
    assert any("NodeRestriction" in argument for argument in api)
    assert "tls-min-version=VersionTLS12" in told["kubelet-arg"]
    (pods, _) = admission()["plugins"]
    assert pods["configuration"]["defaults"]["enforce"] == "restricted"


def test_no_settled_node_would_found_a_cluster_when_it_loses_its_data():
    for name in (*SERVERS, *AGENTS):
        told = configuration(node(name))
        assert "cluster-init" not in told
        assert told["server"] == "https://192.168.15.205:6443"


def test_without_an_address_of_its_own_the_api_is_found_at_another_server():
    api = node().api
    alone = node(api=type(api)(name=api.name))

    assert configuration(alone)["server"] == "https://192.168.15.110:6443"
    assert alone.api_address is None


def test_pods_pass_through_the_machine_and_strangers_reach_neither_etcd_nor_kubelet():
    base = node().base
    rules = {opening.what: {str(s) for s in opening.sources} for opening in base.openings}

    assert [str(network) for network in base.forwards] == ["10.42.0.0/16", "10.43.0.0/16"]
    assert rules["etcd"] == {"192.168.15.110/32", "192.168.15.112/32"}
    assert rules["kubelet"] == {
        "192.168.15.110/32", "192.168.15.112/32", "192.168.15.113/32", "10.42.0.0/16"
    }  # fmt: skip
    assert "192.168.15.1/32" in rules["Kubernetes API"]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"name": "nobody"}, "name: no node is nobody"),
        ({"token": None}, "token: a server needs it"),
        ({"authorities": None}, "authorities: a server needs them"),
        ({"agents": SERVERS}, "agents: k3s-node1 is a server"),
        ({"agent_token": 'a"'}, "agent_token: must be"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(more, fault):
    with pytest.raises(ValueError, match=fault):
        node(**more)


def test_the_address_of_the_api_belongs_to_no_node():
    api = node().api
    taken = type(api)(name=api.name, virtual_address=IPv4Interface("192.168.15.111/24"))

    with pytest.raises(ValueError, match="belongs to a node"):
        node(api=taken)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"version": "1.33"}, "version: expected"),
        ({"sha256": {}}, "that of k3s is missing"),
        ({"sha256": {"k3s": "unpinned"}}, "k3s: expected 64 hexadecimal digits"),
        ({"sha256": {"k3s": "0" * 64, "k9s": "0" * 64}}, "k9s is neither"),
        ({"mirror": "http://example.org"}, "mirror: expected https"),
    ],
)
def test_a_release_that_could_not_be_proven_is_refused(more, fault):
    told = {"version": RELEASE.version, "mirror": RELEASE.mirror, "sha256": RELEASE.sha256}

    with pytest.raises(ValueError, match=fault):
        Release(**{**told, **more})


def test_a_file_that_is_not_the_one_that_is_meant_is_refused(tmp_path):
    (tmp_path / "k3s").write_text("another")
    digest = hashlib.sha256(b"the one").hexdigest()
    release = Release(version=RELEASE.version, mirror=str(tmp_path), sha256={"k3s": digest})

    with pytest.raises(ValueError, match=f"not {digest}"):
        release.obtain("k3s")
    (tmp_path / "k3s").write_text("the one")
    assert release.obtain("k3s").read_text() == "the one"


def test_the_health_asks_both_the_api_and_the_node(read):
    text = read.written("/usr/local/sbin/k3s-health").text

    assert "api-ready" in text
    assert "get node k3s-node2" in text.replace("\\\n    ", "")


def test_the_configuration_is_yaml_that_is_json_too(read):
    assert json.loads(read.written(CONFIG).text) == configuration(node())


def test_k3s_brings_its_own_traefik_where_it_is_wanted():
    assert configuration(node())["disable"] == ["servicelb", "traefik"]
    assert configuration(node(traefik=True))["disable"] == ["servicelb"]
