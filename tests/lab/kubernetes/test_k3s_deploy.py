"""Our own deploy makes three machines a cluster, and goes on doing so whatever happens to one.

The tests tell one story in the order of the file: a cluster takes a minute to make.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

import pytest

from lab.machines import BaseImage
from tests.lab.machines.conftest import a_lab

from .conftest import until
from .deployed import ADDRESS, SERVERS, Deployed, changes

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
FIRST, SECOND, THIRD = SERVERS
LOG = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def three(release) -> Iterator[Deployed]:
    with a_lab(BaseImage().obtain()) as lab:
        made = Deployed(lab, release)
        made.start(*SERVERS)
        started = time.monotonic()
        made.roll_out()
        LOG.info("three machines to a ready cluster: %.1f s", time.monotonic() - started)
        yield made


def test_three_machines_with_nothing_on_them_become_a_cluster(three):
    assert three.ready() == set(SERVERS)
    assert len(three.holders()) == 1


def test_the_deploy_again_changes_nothing(three):
    assert changes(three.ask(three.request("plan", "hosts.k3s:k3s"))) == {}
    assert changes(three.apply()) == {}


def test_the_kubeconfig_of_the_state_works_at_the_address_of_the_api(three):
    machine = three.machine(SECOND)
    machine.ssh(f"cat >/run/outside.yaml <<'END'\n{three.kubeconfig}\nEND")

    said = machine.ssh("k3s kubectl --kubeconfig /run/outside.yaml get nodes -o name")

    assert {name.partition("/")[2] for name in said.split()} == set(SERVERS)


@pytest.mark.parametrize("name", SERVERS)
def test_no_check_of_the_hardening_fails(three, name):
    said = three.machine(name).ssh("k3s-checks || true")

    assert ", 0 failing" in said, said


def test_secrets_are_encrypted_and_changes_are_written_down(three):
    three.kubectl("create secret generic hidden --from-literal=word=plainly-readable")
    tls = "/var/lib/rancher/k3s/server/tls/etcd"

    stored = three.machine(FIRST).ssh(
        f"etcdctl --cacert={tls}/server-ca.crt --cert={tls}/client.crt --key={tls}/client.key "
        "get /registry/secrets/default/hidden | tr -cd '[:print:]'"
    )
    audit = three.machine(FIRST).ssh("cat /var/log/kubernetes/audit.log")

    assert "k8s:enc:aescbc" in stored
    assert "plainly-readable" not in stored
    assert '"name":"hidden"' in audit
    assert "plainly-readable" not in audit


def test_a_pod_that_asks_for_too_much_is_refused(three):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {
            "containers": [
                {"name": "a", "image": "lab/debug:1", "securityContext": {"privileged": True}}
            ]
        },
    }

    said = three.kubectl(f"apply -f - 2>&1 <<'END' || true\n{json.dumps(pod)}\nEND")

    assert 'violates PodSecurity "restricted' in said


def test_the_api_is_back_within_ten_seconds_when_who_holds_its_address_loses_power(three):
    (holder,) = three.holders()
    other = next(name for name in SERVERS if name != holder)
    ask = "k3s kubectl --kubeconfig /run/outside.yaml --request-timeout=1s"
    three.machine(other).ssh(f"cat >/run/outside.yaml <<'END'\n{three.kubeconfig}\nEND")

    three.machine(holder).power_cut()
    took = until(
        lambda: bool(three.machine(other).ssh(f"{ask} get --raw /readyz")), 30, "the API answers"
    )
    LOG.info("the API answers at its address again after %.1f s", took)

    assert took < 10
    assert len(three.holders()) == 1
    three.machine(holder).boot()
    three.well(holder)


def test_a_server_replaced_under_the_same_name_joins(three):
    machine = three.machine(SECOND)
    machine.power_cut()
    machine.delete()
    three.start(SECOND)

    three.apply(SECOND)
    three.well(SECOND)

    assert three.ready() == set(SERVERS)
    assert three.members(SECOND) == {ADDRESS[name] for name in SERVERS}


def test_the_founder_replaced_under_the_same_name_joins_too(three):
    machine = three.machine(FIRST)
    machine.power_cut()
    machine.delete()
    three.start(FIRST)

    three.apply(FIRST)
    three.well(FIRST)

    assert three.ready(SECOND) == set(SERVERS)
    assert three.members(SECOND) == {ADDRESS[name] for name in SERVERS}
