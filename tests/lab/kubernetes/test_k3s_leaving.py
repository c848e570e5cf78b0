"""Whoever leaves our cluster is not missed, and nobody makes a second one beside it.

All machines are changed at once here: who may not found waits for the founder. The tests tell one
story in the order of the file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.machines import BaseImage
from tests.lab.machines.conftest import DATABASE, a_lab

from .conftest import until
from .deployed import ADDRESS, SERVERS, Deployed, failed

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
FIRST, SECOND, THIRD = SERVERS
AGENT = DATABASE[0]  # any machine will do
LEAVE = "hosts.k3s_leaving:leave"
LOG = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def three(release) -> Iterator[Deployed]:
    with a_lab(BaseImage().obtain()) as lab:
        made = Deployed(lab, release)
        made.start(*SERVERS)
        started = time.monotonic()
        made.apply()
        made.well(*SERVERS)
        LOG.info("three machines at once to a ready cluster: %.1f s", time.monotonic() - started)
        yield made


def test_a_server_may_not_leave_when_those_who_stay_have_no_quorum(three):
    three.machine(THIRD).power_cut()

    told = failed(three.ask(three.request("apply", LEAVE, SECOND, others=[FIRST, THIRD])))

    assert "etcd: 2 healthy members needed, there are 1" in "\n".join(told)
    three.machine(THIRD).boot()
    three.well(THIRD)
    assert three.ready() == set(SERVERS)


def test_a_server_leaves_and_its_name_is_free(three):
    three.apply(THIRD, deploy=LEAVE, others=[FIRST, SECOND])

    assert three.ready() == {FIRST, SECOND}
    assert three.members(SECOND) == {ADDRESS[FIRST], ADDRESS[SECOND]}
    assert f"{THIRD}.node-password.k3s" not in three.kubectl("-n kube-system get secrets -o name")
    assert not three.machine(THIRD).ssh("ps -eo args | grep -E '[c]ontainerd|[k]ube' || true")
    three.apply(THIRD)
    three.well(THIRD)
    assert three.members(SECOND) == {ADDRESS[name] for name in SERVERS}


def test_an_agent_joins_and_leaves(three):
    three.agents = (AGENT,)
    three.start(AGENT)
    three.apply()  # servers let it in
    three.well(AGENT)
    assert AGENT in three.ready(SECOND)

    three.apply(AGENT, deploy=LEAVE, others=[])

    assert three.ready(SECOND) == set(SERVERS)
    assert not three.machine(AGENT).ssh("ls /etc/rancher/node/password 2>/dev/null || true")


def test_a_node_that_was_deleted_while_all_servers_restart_is_no_member_any_more(three):
    three.machine(THIRD).ssh("systemctl stop k3s")
    three.kubectl(f"delete node {THIRD}", SECOND)
    with ThreadPoolExecutor() as pool:
        staying = [three.machine(name) for name in (FIRST, SECOND)]
        list(pool.map(lambda machine: machine.ssh("systemctl restart k3s"), staying))
    three.well(FIRST, SECOND)

    both = {ADDRESS[FIRST], ADDRESS[SECOND]}
    until(lambda: three.members(SECOND) == both, 60, "its member has left")
    three.machine(THIRD).ssh("rm -rf /var/lib/rancher/k3s/server/db /etc/rancher/k3s/joined")
    three.apply(THIRD)
    three.well(THIRD)
    assert three.members(SECOND) == {ADDRESS[name] for name in SERVERS}


def test_a_founder_that_lost_everything_founds_nothing_beside_servers_that_are_only_down(three):
    for name in (SECOND, THIRD):
        three.machine(name).ssh("systemctl stop k3s")
    machine = three.machine(FIRST)
    machine.power_cut()
    machine.delete()
    three.start(FIRST)

    told = "\n".join(failed(three.ask(three.request("apply", "hosts.k3s:k3s", FIRST))))

    assert "k3s-node1 neither joined nor founded" in told
    assert f"{SECOND}: it is or was a server" in told
