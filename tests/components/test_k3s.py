"""The K3s cluster, as the engine is asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve
import pulumi_random as random
import pulumi_tls as tls
import pytest

from components.cloudflare.resources import provider
from components.cluster_authority import ClusterAuthority, ClusterAuthorityArgs
from components.generated_secrets import GeneratedSecrets
from components.k3s_of_stack import k3s_of
from components.machines import machines_of
from components.sections import Kubernetes, Machine, Network, Role
from components.settings import Settings
from components.tokens import Tokens
from components.traffic_of_stack import traffic_of
from hosts.k3s_leaving import Leaving
from hosts.k3s_node import K3sNode
from pulumi_pyinfra import typed
from tests.components.machines.programs import DOCFAST, TESTING
from tests.recording import Deployment, run

KEPT = Kubernetes.model_validate(
    {
        **TESTING.kubernetes.model_dump(),
        "snapshots": {"bucket": "cold-k3s-snapshots", "every_hours": 6, "kept": 28},
    }
)
SERVERS = {"k3s-node1", "k3s-node2", "k3s-node3"}
PEM = "-----BEGIN {0}-----\n{0}\n"
WITH_AGENT = replace(
    TESTING,
    kubernetes=KEPT,
    machines={
        **TESTING.machines,
        "k3s-agent1": Machine.model_validate(
            {
                **TESTING.machines["k3s-node1"].model_dump(),
                "role": Role.K3S_AGENT,
                "address": "192.168.15.115",
            }
        ),
    },
)


def program(settings: Settings):
    """Return the program of a stack's machines and its cluster."""

    def cluster() -> Any:
        token = pulumi.Output.secret("token")
        options = pulumi.ResourceOptions(
            providers=[
                proxmoxve.Provider("proxmox", endpoint="https://example.org", api_token=token),
                pulumi.ProviderResource("pyinfra", "pyinfra", {}),
                random.Provider("random"),
                tls.Provider("tls"),
                provider("cloudflare", "https://api.example.org"),
            ]
        )
        machines = machines_of(settings, Tokens(), options)
        args = ClusterAuthorityArgs(cluster=settings.stack, api_address=settings.api_address)
        made = k3s_of(
            settings,
            machines,
            ClusterAuthority("k3s", args, options),
            GeneratedSecrets("secrets", options),
            options,
        )
        if made:
            made.inside("inside", traffic_of(settings))

    return cluster


@pytest.fixture(scope="module")
def deployed() -> Deployment:
    return run(program(WITH_AGENT))


@pytest.fixture(scope="module")
def servers(deployed) -> Any:
    return deployed.named("kubernetes-servers").inputs


@pytest.fixture(scope="module")
def agents(deployed) -> Any:
    return deployed.named("kubernetes-agents").inputs


def contract(wanted: Any, host: str, kind: type = K3sNode, **more: Any) -> typed.Reading:
    """Read what one machine is told as the provider reads it, secrets made to look it."""
    told = {**wanted["arguments"], **wanted["hosts"][host]["arguments"], **more}
    told["release"] = {**told["release"], "sha256": {"k3s": "0" * 64}}
    told["authority"] = PEM.format(told["authority"])
    for name in ("token", "agent_token"):
        if name in told:
            told[name] = told[name].replace(" ", "-")
    if "authorities" in told:
        told["authorities"] = {
            name: {key: PEM.format(text) for key, text in authority.items()}
            for name, authority in told["authorities"].items()
        }
    return typed.read(kind, told)


def test_servers_and_agents_are_the_machines_of_their_roles(servers, agents):
    assert servers["hosts"].keys() == SERVERS
    assert agents["hosts"].keys() == {"k3s-agent1"}


@pytest.mark.parametrize("host", sorted(SERVERS))
def test_the_contract_takes_what_each_server_is_told(servers, host):
    reading = contract(servers, host)

    assert not reading.faults
    assert not reading.unknown
    node = reading.value
    assert node.is_server
    assert str(node.address) == str(TESTING.machines[host].address)
    assert str(node.api.virtual_address) == "192.168.15.205/24"
    assert node.api.router_id == 205
    assert node.release.version == "v1.33.6+k3s1"
    assert [str(network) for network in node.operators] == ["192.168.15.0/24"]


def test_an_agent_is_told_nothing_that_would_make_it_a_server(agents):
    reading = contract(agents, "k3s-agent1")

    assert not reading.faults
    assert not reading.value.is_server
    assert (reading.value.token, reading.value.authorities) == (None, None)
    assert "password of secrets-k3s-token" not in repr(agents)


def test_snapshots_go_to_a_bucket_of_their_own_that_agents_cannot_open(deployed, servers, agents):
    snapshots = contract(servers, "k3s-node1").value.snapshots

    assert (snapshots.every_hours, snapshots.kept) == (6, 28)
    assert snapshots.store.bucket == "cold-k3s-snapshots"
    assert snapshots.folder.endswith("testing")
    assert "cold-k3s-snapshots" not in repr(agents)
    (bucket,) = deployed.of_type("cloudflare:index/r2Bucket:R2Bucket").values()
    assert bucket.parent == "snapshots"
    secret = "hosts.k3s-node1.arguments.snapshots.store.key_secret"
    assert secret in deployed.named("kubernetes-servers").secrets


def test_without_a_bucket_snapshots_stay_on_the_servers():
    made = run(program(replace(TESTING, kubernetes=KEPT.model_copy(update={"snapshots": None}))))

    assert "snapshots" not in made.named("kubernetes-servers").inputs["hosts"]["k3s-node1"]
    assert not made.of_type("cloudflare:index/r2Bucket:R2Bucket")


def test_a_server_that_leaves_is_told_what_it_was_by_its_own_arguments(servers):
    gone = contract(servers, "k3s-node3", Leaving, others=["k3s-node1", "k3s-node2"])

    assert not gone.faults
    assert "servers" not in servers["arguments"]
    assert gone.value.staying == {"k3s-node1": "192.168.15.110", "k3s-node2": "192.168.15.111"}


def test_servers_change_one_at_a_time_and_agents_after_them(deployed, servers, agents):
    assert servers["rollout"] == {
        "serial": 1,
        "canary": True,
        "togetherAtFirst": True,
        "probe": "hosts.k3s:healthy",
        "probeSeconds": 120,
    }
    assert agents["rollout"]["serial"] == 1
    assert servers["leave"] == agents["leave"] == "hosts.k3s_leaving:leave"
    assert "kubernetes-servers" in deployed.named("kubernetes-agents").dependencies


def test_the_provider_is_known_before_the_cluster_and_waits_for_it(deployed):
    provider = deployed.named("inside")

    assert provider.inputs["clusterIdentifier"].endswith("testing")
    assert "192.168.15.205:6443" in str(provider.inputs["kubeconfig"])
    assert {"kubernetes-servers", "kubernetes-agents"} <= {*provider.dependencies}
    assert provider.parent == "kubernetes"
    assert provider.inputs["skipUpdateUnreachable"] == "true"


def test_nodes_are_told_of_mirrors_and_who_signed_for_them():
    told = {"*": {"endpoint": "https://mirror.example.org", "authority": PEM.format("X")}}
    kubernetes = TESTING.kubernetes.model_validate(
        {**TESTING.kubernetes.model_dump(), "registries": told}
    )
    made = run(program(replace(TESTING, kubernetes=kubernetes))).named("kubernetes-servers").inputs

    reading = contract(made, "k3s-node1")

    assert not reading.faults
    assert reading.value.registries["*"].endpoint == "https://mirror.example.org"
    assert made["arguments"]["registries"] == told


def test_no_secret_leaves_the_program_in_the_clear(deployed):
    host = deployed.named("kubernetes-servers").secrets
    own = {f"hosts.k3s-node1.arguments.{key}" for key in ("token",)}
    keys = {f"hosts.k3s-node1.arguments.authorities.{who}.key" for who in ("server", "client")}

    assert {"arguments.agent_token", "arguments.administrator", *own, *keys} <= host


def test_a_stack_without_agents_has_no_deploy_of_them():
    names = {resource.name for resource in run(program(TESTING)).resources}

    assert "kubernetes-servers" in names
    assert "kubernetes-agents" not in names


def test_without_an_address_of_its_own_the_api_is_at_the_servers():
    network = Network.model_validate({**TESTING.network.model_dump(), "api_address": None})
    made = run(program(replace(TESTING, network=network))).named("kubernetes-servers").inputs

    assert contract(made, "k3s-node1").value.api.virtual_address is None


def test_hetzners_servers_are_left_as_they_are():
    assert "kubernetes-servers" not in {r.name for r in run(program(DOCFAST)).resources}
