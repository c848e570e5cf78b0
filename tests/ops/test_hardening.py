"""What an operator is told of the hardening, and whether it is taken for right."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import pytest

from hosts.on_machine.hardening.control import EXCEPTION, FAIL, PASS, Result
from ops import cluster, hardening
from ops.reach import UnreachableError

GOOD = [
    Result("1.1", "files", PASS, ""),
    Result("1.2", "people", EXCEPTION, "nobody knows them"),
    Result("4.1", "kubelet", PASS, ""),
]


@dataclass
class Node:
    said: str

    def run(self, command: str, **_: object) -> str:
        assert command == "/usr/local/sbin/k3s-checks --json"
        if not self.said:
            raise UnreachableError("no route")
        return self.said


def node(*results: Result) -> Node:
    return Node(json.dumps([asdict(result) for result in results]))


def test_all_is_well_where_no_control_fails(capsys):
    assert hardening.show({"a": node(*GOOD), "agent": node(GOOD[-1])}) == 0

    said = capsys.readouterr().out
    assert "2 nodes, 3 controls: 2 pass, 1 exceptions, 0 failing" in said
    assert "nobody knows them" in said


def test_a_control_that_fails_on_one_node_is_named_with_it(capsys):
    bad = Result("4.1", "kubelet", FAIL, "anonymous-auth is true")

    assert hardening.show({"a": node(*GOOD), "agent": node(bad)}) == 1

    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith(FAIL)]
    assert line.split() == ["FAIL", "4.1", "kubelet", "agent:", "anonymous-auth", "is", "true"]
    assert "1 pass, 1 exceptions, 1 failing" in said


@pytest.mark.parametrize("said", ["", "no JSON", "[{}]"])
def test_a_node_that_can_not_be_asked_is_not_taken_for_right(capsys, said):
    assert hardening.show({"a": node(*GOOD), "b": Node(said)}) == 1

    assert "b could not be asked" in capsys.readouterr().out


def hosts(*names: str, deploy: str = cluster.DEPLOY, keys: bool = True) -> dict[str, object]:
    connector = {"address": "192.0.2.1", "user": "debian", "privateKey": "x"}
    told = {
        "deploy": deploy,
        "sudo": True,
        "hosts": {name: {"connector": connector} for name in names},
        "hostKeys": dict.fromkeys(names, "ssh-ed25519 AAAA") if keys else {},
    }
    return {"type": "pyinfra:index:Deploy", "outputs": told}


def test_every_node_of_the_stack_is_asked_servers_and_agents(monkeypatch, capsys):
    resources = [
        hosts("db", deploy="hosts.database:database"),
        hosts("a", "b"),
        hosts("agent"),
        hosts("anew", keys=False),
    ]
    state = {"deployment": {"resources": resources}}
    asked = []
    monkeypatch.setattr(hardening, "export_of", lambda *_: state)
    monkeypatch.setattr(hardening, "_asked", lambda machine: asked.append(machine) or GOOD)

    with pytest.raises(SystemExit) as ended:
        cluster.main(["testing", "hardening"])

    said = capsys.readouterr().out
    assert {machine.name for machine in asked} == {"a", "b", "agent"}
    assert all(machine.sudo for machine in asked)
    assert "anew could not be asked" in said
    assert (ended.value.code, "4 nodes" in said) == (1, True)
