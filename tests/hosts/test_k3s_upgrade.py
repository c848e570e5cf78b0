"""Which steps K3s takes, and when a node is not touched: tried for every pair of versions."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from hosts import k3s_upgrading
from hosts.on_machine.k3s_upgrade import Node, Settings, doubts, refusal
from hosts.started_before import StartedBefore

from .conftest import Operations
from .k3s_wanted import SERVERS, node

SETTINGS = Settings(
    name="k3s-node1",
    server=True,
    version="v1.34.4+k3s1",
    snapshot="token-0-before-v1.34.4-k3s1",
    servers={name: str(address) for name, address in SERVERS.items()},
    kubeconfig="/run/it",
    api_port=6443,
    drain_seconds=60,
    marker="/etc/it",
)
VERSIONS = [
    f"v1.{minor}.{patch}+k3s{build}"
    for minor, patch, build in product((32, 33, 34, 35), (0, 4), (1, 2))
]
BEGIN = "Save what etcd holds, and have the pods elsewhere, for v1.33.6+k3s1"
FINISH = "Have pods again after the upgrade"


def nodes(*versions: str, **of_the_last: Any) -> list[Node]:
    made = [
        Node(name=name, version=version, server=True, ready=True, takes_pods=True)
        for name, version in zip(SERVERS, versions, strict=True)
    ]
    return [*made[:-1], replace(made[-1], **of_the_last)]


def test_a_step_is_taken_exactly_if_it_goes_up_and_over_no_minor():
    for have, wanted in product(VERSIONS, repeat=2):
        up = VERSIONS.index(wanted) >= VERSIONS.index(have)
        next_minor = int(wanted.split(".")[1]) <= int(have.split(".")[1]) + 1
        assert (refusal(have, wanted) is None) == (up and next_minor), (have, wanted)


def test_who_skips_a_minor_is_told_the_ladder():
    said = refusal("v1.33.4+k3s1", "v1.36.0+k3s1")

    assert said == (
        "v1.33.4+k3s1 -> v1.36.0+k3s1 skips a minor: go v1.33 -> v1.34 -> v1.35 -> v1.36, "
        "one after the other"
    )


def test_who_goes_back_is_told_how():
    assert "restore a snapshot" in str(refusal("v1.34.4+k3s1", "v1.33.6+k3s1"))


def test_a_kubelet_that_names_no_build_of_k3s_is_compared_by_the_rest():
    assert refusal("v1.34.4", "v1.34.4+k3s1") is None
    assert refusal("v1.34.5", "v1.34.4+k3s1")


@pytest.mark.parametrize(
    ("known", "answering", "fault"),
    [
        (nodes("v1.33.4", "v1.33.4", "v1.32.9"), SERVERS, "v1.32.9 -> v1.34.4+k3s1 skips"),
        (nodes("v1.34.4", "v1.34.4", "v1.35.0"), SERVERS, "v1.35.0 -> v1.34.4+k3s1 is a down"),
        (nodes("v1.33.4", "v1.33.4", "v1.33.4", ready=False), SERVERS, "is not ready"),
        (nodes("v1.33.4", "v1.33.4", "v1.33.4"), ["k3s-node2"], "its API is not ready"),
        (nodes("v1.34.4", "v1.34.4", "v1.30.1", server=False), SERVERS, "v1.30.1 is too old"),
    ],
)
def test_a_node_is_not_touched_beside_one_that_is_not_well_or_too_far_away(known, answering, fault):
    told = doubts(SETTINGS, known, [*answering])

    assert len(told) == 1
    assert told[0].startswith(f"k3s-node3: {fault}")


def test_a_node_is_touched_while_others_already_are_where_it_goes():
    for others in product(("v1.33.4", "v1.34.4"), repeat=2):
        assert not doubts(SETTINGS, nodes("v1.33.4", *others), [*SERVERS])


def test_its_own_api_may_be_down():
    assert not doubts(SETTINGS, nodes(*["v1.33.4"] * 3), ["k3s-node2", "k3s-node3"])


def test_an_agent_goes_after_all_servers():
    agent = replace(SETTINGS, name="k3s-agent1", server=False)

    (fault,) = doubts(agent, nodes("v1.34.4", "v1.34.4", "v1.33.4"), [*SERVERS])

    assert fault == "k3s-node3: runs v1.33.4; servers go before agents"


class Host:
    """A machine with what a test says on it."""

    def __init__(self, **there: object) -> None:
        self.there = there

    def get_fact(self, fact: type, **told: object) -> object:
        if fact is StartedBefore:
            return self.there.get("stale", False)
        if fact is k3s_upgrading.InstalledK3s:
            return self.there.get("version")
        return {} if self.there.get(str(told["path"])) else None


@pytest.mark.parametrize(
    ("there", "begins", "finishes"),
    [
        ({}, False, False),
        ({"version": "v1.33.4+k3s1"}, False, False),
        ({"version": "v1.33.4+k3s1", "/etc/rancher/k3s/joined": True}, True, False),
        ({"version": "v1.33.6+k3s1", "/etc/rancher/k3s/joined": True}, False, False),
        ({"version": "v1.33.6+k3s1", "/etc/rancher/k3s/joined": True, "stale": True}, True, False),
        ({"version": "v1.33.6+k3s1", "/etc/rancher/k3s/joined": True,
          "/etc/rancher/k3s/upgrading": True}, False, True),
    ],
)  # fmt: skip
def test_a_node_is_emptied_before_another_version_and_goes_on_where_a_run_was_cut_off(
    operations: Operations, monkeypatch, there, begins, finishes
):
    monkeypatch.setattr(k3s_upgrading, "host", Host(**there))
    k3s_upgrading.begin_upgrade(node())
    k3s_upgrading.finish_upgrade()

    assert operations[BEGIN].runs == begins
    assert operations[FINISH].runs == finishes
    lent = operations["Lend the administrator's way in for the upgrade"]
    assert lent.runs == (begins or finishes)
    assert lent.told["mode"] == "600"


def test_a_wrong_step_is_refused_while_the_deploy_is_read(monkeypatch):
    monkeypatch.setattr(k3s_upgrading, "host", Host(version="v1.31.0+k3s1"))

    with pytest.raises(ValueError, match=r"kubernetes.version: .* go v1.31 -> v1.32 -> v1.33"):
        k3s_upgrading.refuse_wrong_step(node())


def test_the_version_is_read_from_what_k3s_says_of_itself():
    said = ["k3s version v1.33.6+k3s1 (b5847677)", "go version go1.24.9"]

    assert k3s_upgrading.InstalledK3s().process(said) == "v1.33.6+k3s1"
    assert k3s_upgrading.InstalledK3s().process([]) is None
