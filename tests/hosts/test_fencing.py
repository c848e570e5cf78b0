"""What a witness is told, who may read it, and when there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hosts import database, fencing

from .wanted import faults, node

TOKEN = "fencing@pve!database=canary-of-fencing"
PROXMOX = {
    "endpoint": "https://192.168.15.96:8006/",
    "fingerprint": ":".join(["AB"] * 32),
    "token": TOKEN,
    "machines": {f"db-node{n}": {"node": "pve", "vm_id": 219 + n} for n in (1, 2, 3)},
}


def fenced(**more: Any) -> dict[str, Any]:
    return {"hypervisor": {**PROXMOX, **more}, "silent_seconds": 3}


def test_a_witness_is_told_what_it_needs_and_nobody_else_may_read_it(operations):
    wanted = node(fenced=fenced()).fencing
    operations.read(fencing.fencing, wanted)
    put = operations.written(fencing.PLACE)
    told = json.loads(put.text)

    assert put.told["mode"] == "600"
    assert told["members"]["db-node3"] == "192.168.15.122"
    assert told["hypervisor"]["machines"]["db-node3"] == {"node": "pve", "vm_id": 222}
    assert told["hypervisor"]["kind"] == "proxmox"
    assert told["hypervisor"]["token"] == TOKEN
    assert told["etcd"] == "https://192.168.15.120:2379"
    assert TOKEN not in repr(wanted)


def test_it_runs_anew_when_something_changed_and_never_right_after_its_start(operations):
    operations.read(fencing.fencing, node(fenced=fenced()).fencing)
    restart = "Restart the witness when it changed"

    assert not operations[restart].runs
    operations.changed = {"Write the program fencing/decision.py"}
    assert operations[restart].runs
    operations.changed |= {"Keep the witness running"}
    assert not operations[restart].runs


@pytest.mark.parametrize(("more", "kept"), [({}, False), ({"fenced": fenced()}, True)])
def test_there_is_a_witness_only_where_one_is_wanted(operations, monkeypatch, more, kept):
    asked = []
    for name in vars(database):
        if getattr(vars(database)[name], "_inner", None):
            monkeypatch.setattr(database, name, lambda *_, name=name: asked.append(name))
    for name in ("packages", "write_authority", "write_settings", "try_the_store"):
        monkeypatch.setattr(database, name, lambda *_: None)
    operations.read(database_deploy, node(**more))

    assert ("fencing" in asked, "no_fencing" in asked) == (kept, not kept)


database_deploy = database.database


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"fingerprint": "unpinned"}, "fingerprint"),
        ({"endpoint": "http://192.168.15.96"}, "endpoint"),
        ({"token": "word"}, "token"),
    ],
)
def test_what_nobody_could_be_fenced_with_is_refused(more, said):
    assert any(said in fault for fault in faults(fenced=fenced(**more)))


def test_every_member_must_be_known_to_the_hypervisor():
    machines = {"db-node1": {"node": "pve", "vm_id": 220}}
    wanted = node(fenced=fenced(machines=machines))

    with pytest.raises(ValueError, match="hypervisor: knows"):
        _ = wanted.fencing


def test_less_than_a_hiccup_is_refused():
    wanted = node(fenced={**fenced(), "silent_seconds": 1})

    with pytest.raises(ValueError, match="silent_seconds"):
        _ = wanted.fencing
