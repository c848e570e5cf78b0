"""Snapshots go to an object store, and a cluster that was lost comes back from one.

The tests tell one story in the order of the file: the store is away and back, two of three servers
are lost, then all of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import trustme

from hosts.on_machine.k3s_snapshots import generation
from lab.machines import BaseImage
from lab.machines.network import NAMESPACES, entered
from ops import cluster
from ops.reach import machines
from pulumi_pyinfra.protocol import Ssh
from tests.lab.database.store import Store, program
from tests.lab.machines.conftest import Lab, a_lab

from .conftest import until
from .deployed import ADDRESS, SERVERS, TOKEN, Deployed, changes, failed

pytestmark = [
    pytest.mark.machines,
    pytest.mark.cluster,
    pytest.mark.skipif(program() is None, reason="versitygw is not there"),
]
FIRST, SECOND, THIRD = SERVERS
LABEL = generation(TOKEN)
K3S = "hosts.k3s:k3s"
LOG = logging.getLogger(__name__)


@dataclass
class Kept(Deployed):
    """A cluster whose snapshots go to a store."""

    store: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Ssh] = field(default_factory=dict)
    """How servers were reached when they were last there."""

    def own(self, name: str) -> dict[str, Any]:
        return {**super().own(name), "snapshots": {"store": self.store, "folder": "testing"}}

    def start(self, *names: str) -> None:
        super().start(*names)
        self.known |= {name: self.ssh_to(self.machine(name)) for name in names}

    def lose(self, *names: str) -> None:
        for name in names:
            self.machine(name).power_cut()
            self.machine(name).delete()

    @contextmanager
    def operated(self) -> Iterator[cluster.Servers]:
        """Have the servers as their operator has them, whether they are there or not."""
        namespace = NAMESPACES / self.lab.place.namespace
        with entered(namespace), machines(self.known) as reached:
            yield cluster.Servers(machines=reached)

    def maps(self, on: str) -> set[str]:
        return set(self.kubectl("get configmaps -o name", on).split())


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with a_lab(BaseImage().obtain()) as made:
        yield made


@pytest.fixture(scope="module")
def store(lab, tmp_path_factory) -> Store:
    return Store(lab.network, tmp_path_factory.mktemp("store"), trustme.CA())


@pytest.fixture(scope="module")
def three(lab, store, release) -> Iterator[Kept]:
    made = Kept(lab, release, store=store.backups()["store"])
    with store.running():
        made.start(*SERVERS)
        made.roll_out()
        yield made


def test_a_snapshot_of_each_server_arrives_and_names_the_token_that_it_needs(three, store):
    for name in SERVERS:
        three.machine(name).ssh("systemctl start k3s-snapshots.service")

    names = {path.name for path in store.files}
    for name in SERVERS:
        assert any(found.startswith(f"{LABEL}-{name}-") for found in names), names
    three.machine(FIRST).ssh("systemctl start k3s-snapshots.service")
    assert {path.name for path in store.files} == names  # a young one is enough
    assert changes(three.ask(three.request("plan", K3S))) == {}


def test_a_snapshot_that_could_not_be_brought_there_is_tried_again(three, store):
    machine = three.machine(FIRST)
    for path in store.files:
        path.unlink()
    with store.silent():
        machine.ssh("systemctl start --no-block k3s-snapshots.service")
        until(
            lambda: "failed" in machine.ssh("journalctl -u k3s-snapshots -n 20 -o cat").lower(),
            120,
            "the failure is seen",
        )
        assert not store.files

    LOG.info(
        "in the store again %.1f s after it was back",
        until(lambda: bool(store.files), 150, "the snapshot has arrived"),
    )


def test_two_of_three_servers_lost_come_back_from_a_snapshot(three):
    three.kubectl("create configmap before --from-literal=a=b")
    with three.operated() as servers:
        cluster.take(servers)
    three.kubectl("create configmap after --from-literal=a=b")
    began = time.monotonic()
    three.lose(SECOND, THIRD)

    with three.operated() as servers:
        until(lambda: not servers.serving(), 60, "no server serves")
        took = cluster.restore(servers, agreed=True)
    LOG.info("one server again, of two lost: %.1f s", took)

    assert took < 300
    assert "configmap/before" in three.maps(FIRST)
    assert "configmap/after" not in three.maps(FIRST)
    three.start(SECOND, THIRD)
    for name in SERVERS:
        three.apply(name)
        three.well(name)
    LOG.info("all three again: %.1f s", time.monotonic() - began)
    assert three.ready() == set(SERVERS)
    assert three.members(FIRST) == {ADDRESS[name] for name in SERVERS}


def test_new_machines_found_no_second_cluster_where_all_were_lost(three):
    three.kubectl("create configmap kept --from-literal=a=b")
    with three.operated() as servers:
        cluster.take(servers)
    three.lose(*SERVERS)
    three.start(*SERVERS)

    told = failed(three.ask(replace(three.request("apply", K3S, FIRST), settled=True)))

    assert "restore a snapshot (python -m ops.cluster" in "\n".join(told)
    assert not three.machine(FIRST).ssh("ls /var/lib/rancher/k3s/server/db 2>/dev/null || true")


def test_all_of_them_lost_come_back_on_new_machines(three):
    began = time.monotonic()
    with three.operated() as servers:
        took = cluster.restore(servers, on=FIRST, agreed=True)
    LOG.info("one new server with the old cluster: %.1f s", took)

    assert took < 300
    assert "configmap/kept" in three.maps(FIRST)
    for name in SERVERS:
        events = three.ask(replace(three.request("apply", K3S, name), settled=True))
        assert not failed(events)
        three.well(name)
    LOG.info("all three again: %.1f s", time.monotonic() - began)
    assert three.ready() == set(SERVERS)
    assert three.members(FIRST) == {ADDRESS[name] for name in SERVERS}
