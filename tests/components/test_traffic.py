"""The map of who talks to whom, and the policies that are made of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from typing import Any

import pytest

from components.certificates_section import Certificates
from components.monitoring_section import Images, Mail, Webhook
from components.network_policies import REFUSED, policies
from components.settings import Settings
from components.traffic import Edge, Outside, Pods, Traffic
from components.traffic_of_stack import OWN_NAMESPACES, traffic_of
from components.traffic_parties import EVERYWHERE
from ops.stack_files import STACKS, settings_of
from tests.recording import Deployment, Registered

from .policy_semantics import End, admitted, governed, in_map, is_of, ports_of

ONE = Pods(name="one", namespace="first", labels={"app": "one"})
OTHER = Pods(name="other", namespace="second", labels={"app": "other"})
SOMEWHERE = Outside(
    name="somewhere",
    networks=(IPv4Network("192.0.2.0/24"),),
    but=(IPv4Network("192.0.2.128/25"),),
)
NOBODYS_PORT = 9
WORKLOADS = {"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Pod", "Job", "CronJob"}


IMAGE = "any/image:v1@sha256:" + "0" * 64


def with_options(settings: Settings) -> Settings:
    """Return a stack that has all that one may leave out."""
    images = Images(**dict.fromkeys(Images.model_fields, IMAGE))
    mail = Mail(server="mail.example:587", sender="a@b.example", recipients=("c@d.example",))
    watched = {"images": images, "mail": mail, "webhook": Webhook(url="https://sms.example/")}
    return replace(
        settings,
        monitoring=settings.monitoring.model_copy(update=watched),
        kubernetes=settings.kubernetes.model_copy(update={"traefik": True}),
        certificates=Certificates.model_construct(),
    )


@pytest.fixture(params=[*STACKS, "all options"])
def traffic(request) -> Traffic:
    if request.param in STACKS:
        return traffic_of(settings_of(request.param))
    return traffic_of(with_options(settings_of(STACKS[0])))


def ends_of(traffic: Traffic) -> dict[str, End]:
    """Return somebody of each party, and strangers: a pod of nobody's in each namespace, others."""
    pod_addresses = (IPv4Address("10.42.7.2") + n for n in count())
    ends = {
        party.name: _end(party, next(pod_addresses))
        if isinstance(party, Pods)
        else End(
            IPv4Address("198.51.100.1") if party.networks[0] == EVERYWHERE else party.networks[0][0]
        )
        for party in traffic.parties
    }
    for namespace in governed(traffic):
        ends[f"stranger in {namespace}"] = End(next(pod_addresses), namespace, {"app": "stranger"})
    ends["stranger elsewhere"] = End(next(pod_addresses), "elsewhere")
    ends["stranger on the network"] = End(IPv4Address("192.168.15.77"))
    ends["stranger on the internet"] = End(IPv4Address("198.51.100.7"))
    return ends


def _end(pods: Pods, address: IPv4Address) -> End:
    return End(address, pods.namespace, {**pods.labels, "pod-template-hash": "x"})


def test_the_policies_let_through_exactly_the_edges_of_the_map(traffic):
    made = [body for namespace in governed(traffic) for body in policies(traffic, namespace)]
    ends = ends_of(traffic)
    ports = {("TCP", NOBODYS_PORT)}.union(*(ports_of(edge) for edge in traffic.edges))
    asked = [(a, b, port) for a in ends for b in ends for port in ports if a != b]

    let_through = {q for q in asked if admitted(made, ends[q[0]], ends[q[1]], *q[2])}

    assert let_through == {q for q in asked if in_map(traffic, ends[q[0]], ends[q[1]], q[2])}
    assert 0 < len(let_through) < len(asked)


def test_every_kind_of_pods_has_a_policy_for_each_way_and_its_namespace_one_for_the_rest():
    edge = Edge(source=ONE, target=OTHER, tcp=(80,), udp=(53,), why="a test")
    more = Edge(source=OTHER, target=SOMEWHERE, tcp=(443,), why="a test")

    asked, asks, rest = policies(Traffic(edges=(edge, more)), "second")

    selected = {"podSelector": {"matchLabels": {"app": "other"}}}
    from_one = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "first"}},
        "podSelector": {"matchLabels": {"app": "one"}},
    }
    both = [{"protocol": "TCP", "port": 80}, {"protocol": "UDP", "port": 53}]
    block = {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}
    assert asked["spec"] == {
        **selected,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [from_one], "ports": both}],
    }
    assert asks["spec"] == {
        **selected,
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": block}], "ports": [{"protocol": "TCP", "port": 443}]}],
    }
    assert rest["metadata"] == {"name": REFUSED, "namespace": "second"}
    assert rest["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_no_policy_that_allows_is_for_both_ways(traffic):
    for namespace in governed(traffic):
        for body in policies(traffic, namespace)[:-1]:
            assert len(body["spec"]["policyTypes"]) == 1


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_of_the_program_is_in_the_map_and_waits_for_the_policies(up, stack):
    assert covered(up(stack), traffic_of(settings_of(stack))) >= 4


def covered(made: Deployment, traffic: Traffic) -> int:
    """Return how many kinds of pods there are, each of them in the map and after its policies."""
    workloads = [r for r in made.resources if r.type.split(":")[-1] in WORKLOADS]
    # Who is in the node's network is the node to everybody, and no policy selects it.
    apart = [r for r in workloads if not template(r)["spec"].get("hostNetwork")]

    for workload in apart:
        namespace = workload.inputs["metadata"]["namespace"]
        end = End(IPv4Address("10.42.0.2"), namespace, template(workload)["metadata"]["labels"])
        assert any(is_of(pods, end) for pods in traffic.pods()), workload.name
        waits = {r.name for r in made.resources if r.name in workload.dependencies}
        assert policies_of(made, namespace) <= waits, workload.name
    return len(apart)


@pytest.mark.parametrize("stack", STACKS)
def test_every_namespace_of_the_program_and_of_the_cluster_refuses_the_rest(up, stack):
    made = up(stack)
    ours = {r.inputs["metadata"]["name"] for r in made.resources if r.type.endswith(":Namespace")}

    for namespace in {*OWN_NAMESPACES, *ours}:
        (refusing,) = [n for n in policies_of(made, namespace) if n.endswith(REFUSED)]
        allowing = policies_of(made, namespace) - {refusing}
        # Nobody who serves is refused what is about to be allowed.
        assert allowing <= made.named(refusing).dependencies


def template(workload: Registered) -> dict[str, Any]:
    spec: dict[str, Any] = workload.inputs["spec"]
    found: dict[str, Any] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
    return found


def policies_of(made: Deployment, namespace: str) -> set[str]:
    return {
        r.name
        for r in made.resources
        if r.type.endswith(":NetworkPolicy") and r.inputs["metadata"]["namespace"] == namespace
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Edge(source=ONE, target=OTHER, why=""), "one to other: name at least one port"),
        (lambda: Edge(source=SOMEWHERE, target=SOMEWHERE, tcp=(1,), why=""), "neither is a pod"),
        (lambda: Outside(name="nowhere", networks=()), "nowhere: name at least one network"),
        (
            lambda: Traffic(
                edges=(Edge(source=ONE, target=replace(ONE, namespace="third"), tcp=(1,), why=""),)
            ),
            "names must be unique, repeated: one",
        ),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
