"""What is kept of etcd: where, under which name, and until it has really arrived."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from hosts import k3s, k3s_upgrading
from hosts.k3s_snapshots import SETTINGS, Snapshots, settings_files, told_k3s
from hosts.object_store import Store
from hosts.on_machine import k3s_snapshots as on_machine
from hosts.on_machine.k3s_snapshots import Snapshot, generation

from .conftest import Operations
from .k3s_wanted import SECRETS, SERVERS, node

STORE = Store(
    endpoint="192.168.15.1:7070", bucket="kept", region="auto", key="the-key",
    key_secret="the-secret", authority="-----BEGIN CERTIFICATE-----",
)  # fmt: skip
WANTED = Snapshots(store=STORE, folder="testing")
LABEL = generation(SECRETS["token"])
PAGE = """<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
{keys}{more}</ListBucketResult>"""


def page(*keys: str, more: str = "") -> str:
    told = "".join(f"<Contents><Key>testing/{key}</Key></Contents>" for key in keys)
    then = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    return PAGE.format(keys=told, more=then)


def test_k3s_is_told_in_its_own_words():
    told = told_k3s(WANTED, SECRETS["token"], 2)

    assert told["etcd-s3"] is True
    assert told["etcd-s3-bucket"] == "kept"
    assert told["etcd-s3-folder"] == "testing"
    assert told["etcd-snapshot-schedule-cron"] == "10 */6 * * *"
    assert told["etcd-snapshot-retention"] == 28
    assert told["etcd-snapshot-name"] == LABEL


def test_the_label_is_another_for_another_token_and_tells_nothing_of_it():
    assert generation("one-token") != generation("another-token")
    assert generation("one-token\n") == generation("one-token")
    assert "one" not in generation("one-token")


@pytest.fixture
def recorded(operations: Operations, monkeypatch) -> Operations:
    """Read the deploy of a server whose snapshots go to a store."""

    class Host:
        def get_fact(self, *_: object, **__: object) -> None:
            return None

    for module in (k3s, k3s_upgrading):
        monkeypatch.setattr(module, "host", Host())
    monkeypatch.setattr(k3s, "released_file", lambda **_: operations.all[-1])
    for part in ("first_boot", "packages", "machine_for_k3s", "base", "hardening", "api_address"):
        monkeypatch.setattr(k3s, part, lambda _: None)
    return operations.read(k3s.k3s, node(snapshots=WANTED))


def test_a_server_starts_k3s_anew_when_the_store_is_another(recorded):
    recorded.changed = {f"Write {SETTINGS}"}

    assert recorded["Restart K3s when it or its settings changed"].runs
    assert recorded.written(SETTINGS).told["mode"] == "600"
    assert "the-secret" in settings_files(WANTED, "token", 0)[SETTINGS].getvalue()


def test_what_restores_is_there_before_anybody_is_to_be_joined(recorded):
    names = [operation.name for operation in recorded.all]

    assert names.index("Write the program that restores one") < names.index(
        "Join the cluster, or found it"
    )


def test_an_agent_is_not_told_of_the_store():
    with pytest.raises(ValueError, match="snapshots: an agent has none"):
        node("k3s-agent1", snapshots=WANTED)


@pytest.mark.parametrize("more", [{"every_hours": 0}, {"every_hours": 25}, {"kept": 0}])
def test_a_schedule_that_cannot_be_is_refused(more):
    with pytest.raises(ValueError, match="must be"):
        Snapshots(store=STORE, folder="testing", **more)


def test_a_name_says_what_it_is_of_and_when():
    assert Snapshot.named("token-0-k3s-node1-1700000000", "store") == Snapshot(
        "token-0-k3s-node1-1700000000", "store", 1700000000
    )
    assert Snapshot.named("token-0-k3s-node1-1700000000.zip", "store") is not None
    assert Snapshot.named("notes.txt", "store") is None


def test_a_bucket_is_read_page_by_page(monkeypatch):
    pages = {"": page("a-1700000000", "else", more="x"), "x": page("b-1700000001")}
    monkeypatch.setattr(on_machine, "page", lambda _, more: pages[more])

    assert [s.name for s in on_machine.stored({})] == ["a-1700000000", "b-1700000001"]


class Machine:
    """A server with a store, and K3s on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "config.yaml").write_text(json.dumps({"node-name": "k3s-node1"}))
        self.keys: list[str] = []
        self.ran: list[tuple[str, ...]] = []
        self.arrives, self.code = True, 0
        monkeypatch.setattr(on_machine, "FOLDER", folder)
        monkeypatch.setattr(on_machine, "page", lambda *_: page(*self.keys))
        monkeypatch.setattr(on_machine, "run", self.run)

    def run(self, *words: str) -> Any:
        self.ran.append(words)
        if "save" in words and self.arrives:
            self.keys.append(f"{LABEL}-k3s-node1-{int(time.time())}")
        result = type("Done", (), {"returncode": self.code, "stderr": "no", "stdout": ""})
        return result()

    def keep(self) -> None:
        on_machine.keep(told_k3s(WANTED, SECRETS["token"], 0), 3600)


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_young_snapshot_in_the_store_is_enough(machine):
    machine.keys = [f"{LABEL}-k3s-node1-{int(time.time()) - 60}"]

    machine.keep()

    assert not machine.ran


@pytest.mark.parametrize(
    "there",
    [[], [f"{LABEL}-k3s-node1-1700000000"], [f"{LABEL}-k3s-node2-{int(time.time())}"],
     [f"token-other-k3s-node1-{int(time.time())}"]],
)  # fmt: skip
def test_without_a_young_one_of_its_own_it_takes_one_and_forgets_old_ones(machine, there):
    machine.keys = there

    machine.keep()

    assert [words[2] for words in machine.ran] == ["save", "prune"]


def test_a_snapshot_that_k3s_took_but_did_not_bring_there_is_a_failure(machine):
    machine.arrives = False

    with pytest.raises(SystemExit, match="did not arrive in kept"):
        machine.keep()


def test_servers_take_turns():
    crons = {told_k3s(WANTED, "t", turn)["etcd-snapshot-schedule-cron"] for turn in range(3)}

    assert len(crons) == len(SERVERS)
