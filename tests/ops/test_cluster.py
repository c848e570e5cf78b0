"""What `ops.cluster restore` proves before it touches anything, and whom it has join."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from hosts.on_machine.k3s_snapshots import generation
from ops import cluster
from ops.cluster import Servers
from ops.reach import FailedError, UnreachableError

NAMES = ("a", "b", "c")
TOKEN = "a-token"
OURS = generation(TOKEN)


@dataclass
class World:
    """Servers that answer as real ones do, and write down what they were told."""

    silent: set[str] = field(default_factory=set)
    serving: set[str] = field(default_factory=set)
    anew: set[str] = field(default_factory=set)
    snapshots: list[dict[str, object]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def servers(self) -> Servers:
        return Servers(machines={name: Answers(name, self) for name in NAMES})

    def answer(self, name: str, command: str) -> str:
        if name in self.silent:
            raise UnreachableError(f"{name}: no route")
        self.told.append((name, command))
        if "api-ready" in command:
            return "yes" if name in self.serving else ""
        if "k3s-restore &&" in command:
            return "yes"
        if "k3s-snapshots list" in command:
            return json.dumps(self.snapshots)
        if "joined" in command:
            return "" if name in self.anew else "yes"
        if "join.json" in command:
            return json.dumps({"servers": {n: f"10.0.0.{ord(n)}" for n in NAMES if n != name}})
        return TOKEN if command.startswith("cat ") else ""

    def did(self, word: str) -> list[tuple[str, str]]:
        return [(name, command) for name, command in self.told if word in command]


@dataclass
class Answers:
    name: str
    world: World

    def run(self, command: str, **_: object) -> str:
        return self.world.answer(self.name, command)


def snapshot(seconds: int, place: str = "store", label: str = OURS) -> dict[str, object]:
    return {"name": f"{label}-a-{seconds}", "place": place, "seconds": seconds}


def test_the_newest_snapshot_is_restored_on_one_server_and_who_survived_joins_it():
    world = World(snapshots=[snapshot(2), snapshot(3), snapshot(1)], silent={"c"})

    cluster.restore(world.servers, agreed=True)

    assert world.did("k3s-restore from") == [
        ("a", f"/usr/local/sbin/k3s-restore from store {OURS}-a-3")
    ]
    assert world.did("k3s-restore join") == [("b", "/usr/local/sbin/k3s-restore join 10.0.0.97")]
    assert {name for name, _ in world.did("systemctl stop k3s.service")} == {"b"}


def test_of_two_copies_of_one_snapshot_the_stores_is_taken():
    world = World(snapshots=[snapshot(3), snapshot(3, "/var/lib/kept")])

    cluster.restore(world.servers, agreed=True)

    assert " store " in world.did("k3s-restore from")[0][1]


def test_a_cluster_that_lives_is_not_touched():
    world = World(snapshots=[snapshot(1)], serving={"b"})

    with pytest.raises(FailedError, match="b serves: the cluster lives"):
        cluster.restore(world.servers, agreed=True)

    assert not world.did("restore from")


def test_a_snapshot_that_needs_another_token_is_named_before_anything_is_stopped():
    world = World(snapshots=[snapshot(1, label="token-before")])

    with pytest.raises(FailedError, match=f"needs the token of its generation; a has {OURS}"):
        cluster.restore(world.servers, agreed=True)

    assert not world.did("stop")


def test_machines_that_never_were_servers_are_left_to_the_deploy(capsys):
    world = World(snapshots=[snapshot(1)], anew={"b", "c"})

    cluster.restore(world.servers, on="a", agreed=True)

    assert not world.did("k3s-restore join")
    assert "`pulumi up` has these join as soon as their machines stand: b, c" in (
        capsys.readouterr().out
    )


def test_without_a_word_nothing_is_done(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "no")
    world = World(snapshots=[snapshot(1)])

    with pytest.raises(FailedError, match="nothing was done"):
        cluster.restore(world.servers)

    assert not world.did("stop")


def test_there_must_be_a_snapshot_and_a_server():
    with pytest.raises(FailedError, match="there is no snapshot"):
        cluster.restore(World().servers, agreed=True)
    with pytest.raises(FailedError, match="no snapshot nightly"):
        cluster.restore(World(snapshots=[snapshot(1)]).servers, None, "nightly", agreed=True)
    with pytest.raises(FailedError, match="no server can be reached"):
        cluster.restore(World(silent={*NAMES}).servers, agreed=True)
