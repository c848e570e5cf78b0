"""What a witness does, and in which order: nothing is handed over before it is proven."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hosts.on_machine.fencing.decision import Leader, Silence, View, Vote
from hosts.on_machine.fencing.hypervisor import NotProvenError
from hosts.on_machine.fencing.store import StoreError

witness = importlib.import_module("hosts.on_machine.fencing.__main__")
LED_BY_A = Leader("a", "77", 5)
SILENT = Silence(10, (4, 9))
TOLD: dict[str, Any] = {
    "name": "b",
    "cluster": "cold",
    "members": {"a": "192.0.2.1", "b": "192.0.2.2", "c": "192.0.2.3"},
    "silent_seconds": 3,
    "api_port": 8008,
    "etcd": "https://192.0.2.2:2379",
    "tls": {"authority": "ca", "certificate": "certificate", "key": "key"},
    "hypervisor": {},
}


@dataclass
class World:
    """Everything around a witness, and what it did, in order."""

    view: View = field(default_factory=lambda: View(LED_BY_A, {}, {}, None))
    silence: Silence = SILENT
    others_vote: float = 5
    done: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    revision: int = 0

    def did(self, what: str) -> None:
        self.done.append(what)
        if what in self.fails:
            raise self.fails[what]

    # The store
    def look(self, mine: Vote | None) -> View:
        self.revision += 1
        cut = self.view.fenced is not None and self.view.fenced.cut
        votes = {"b": mine, "c": Vote(LED_BY_A, self.others_vote, cut)}
        return replace(self.view, votes=votes, revisions=dict.fromkeys("bc", self.revision))

    def claim(self, vote: Vote) -> str:
        self.did("claim")
        self.view = replace(self.view, fenced=vote)
        return "lease"

    def tell(self, vote: Vote, _: str) -> None:
        self.did("tell")
        self.view = replace(self.view, fenced=vote)

    def revoke(self, leader: Leader) -> None:
        self.did(f"revoke {leader.lease}")
        self.view = replace(self.view, leader=None)

    # Signs of life
    def follow(self, _: str) -> None:
        """Ask nobody."""

    def lived(self, _: str, __: float) -> None:
        """Take no note."""

    # The hypervisor
    def stop(self, name: str) -> None:
        self.did(f"stop {name}")

    def is_off(self, name: str) -> bool:
        self.did(f"is off {name}")
        return True


@pytest.fixture
def world(monkeypatch) -> World:
    made = World()
    monkeypatch.setattr(witness, "Store", lambda *_: made)
    monkeypatch.setattr(witness, "Signs", lambda *_: made)
    monkeypatch.setattr(witness.hypervisor, "of", lambda _: made)
    monkeypatch.setattr(witness.routes, "cut", lambda address: made.did(f"cut {address}"))
    monkeypatch.setattr(witness.routes, "lift", lambda address: made.did(f"lift {address}"))
    monkeypatch.setattr(witness.election, "hasten", lambda *_: made.did("hasten"))
    return made


def beats(number: int = 3, **more: Any) -> None:
    one = witness.Witness(TOLD | more)
    for _ in range(number):
        one.beat()


def test_it_powers_off_sees_it_off_and_then_hands_over(world):
    beats(2)

    assert world.done == [
        "claim", "stop a", "is off a", "cut 192.0.2.1", "tell", "revoke 77", "hasten",
    ]  # fmt: skip


def test_alone_it_does_nothing(world):
    world.others_vote = 0
    beats()

    assert not world.done


def test_it_does_nothing_about_a_leader_that_it_hears_itself(world):
    world.silence = Silence(10)
    beats()

    assert not world.done


def test_it_has_no_word_against_itself(world):
    beats(name="a")

    assert not world.done


def test_without_a_proof_nothing_is_handed_over_and_nobody_tries_again(world, monkeypatch):
    monkeypatch.setattr(witness.hypervisor, "PROOF_SECONDS", 0)
    world.fails["is off a"] = NotProvenError("no answer")
    beats(5)

    assert [what for what in world.done if what == "claim"] == ["claim"]
    assert not [what for what in world.done if what.startswith(("revoke", "cut", "tell"))]


def test_one_that_is_heard_after_all_is_left_alone(world):
    def claim(vote: Vote) -> str:
        world.silence = Silence(12)
        return World.claim(world, vote)

    world.claim = claim
    beats(5)

    assert world.done == ["claim"]


def test_one_that_no_more_leads_is_left_alone(world):
    def claim(vote: Vote) -> str:
        lease = World.claim(world, vote)
        world.view = replace(world.view, leader=Leader("c", "78", 9))
        return lease

    world.claim = claim
    beats(5)

    assert world.done == ["claim"]


def test_who_sleeps_between_the_last_look_and_the_deed_does_nothing(world, monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(witness.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(witness, "agreed", lambda *_: True)
    beats(1)

    assert world.done == ["claim"]


def test_that_nobody_could_be_told_keeps_it_from_nothing(world):
    world.fails["tell"] = StoreError("an election")
    beats(2)

    assert world.done[-2:] == ["revoke 77", "hasten"]


def test_the_others_stop_asking_and_have_their_patroni_look(world):
    world.view = replace(world.view, fenced=Vote(LED_BY_A, 0, cut=True))
    one = witness.Witness(TOLD)
    one.beat()
    assert world.done == ["cut 192.0.2.1"]

    world.view = replace(world.view, leader=None)
    one.beat()
    assert world.done == ["cut 192.0.2.1", "hasten"]


def test_a_machine_that_was_cut_off_is_asked_again_after_a_while(world, monkeypatch):
    monkeypatch.setattr(witness, "CUT_SECONDS", 0)
    world.view = replace(world.view, fenced=Vote(LED_BY_A, 0, cut=True))
    one = witness.Witness(TOLD)
    one.beat()
    monkeypatch.setattr(world, "look", away)
    with pytest.raises(StoreError):  # etcd may lack just this machine
        one.beat()

    assert world.done == ["cut 192.0.2.1", "lift 192.0.2.1"]


def away(_: Vote | None) -> View:
    raise StoreError("no quorum")
