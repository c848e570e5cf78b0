"""What our deploy makes of machines is hardened: all controls, on a server and an agent.

The tests tell one story in the order of the file.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

import pytest

from lab.machines import BaseImage
from lab.machines.network import NAMESPACES, entered
from ops import hardening
from ops.reach import machines
from tests.lab.machines.conftest import a_lab

from .deployed import SERVERS, Deployed

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
SERVER, AGENT = SERVERS[:2]
KEY = "/var/lib/rancher/k3s/server/tls/server-ca.key"
WORSE = "/etc/rancher/k3s/config.yaml.d/99-worse.yaml"
LOG = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def deployed(release) -> Iterator[Deployed]:
    with a_lab(BaseImage().obtain()) as lab:
        made = Deployed(lab, release, servers=(SERVER,), agents=(AGENT,))
        made.start(SERVER, AGENT)
        made.roll_out()
        yield made


def shown(deployed: Deployed) -> int:
    """Have an operator ask all nodes; return the exit status."""
    known = {name: deployed.ssh_to(deployed.machine(name)) for name in (SERVER, AGENT)}
    namespace = NAMESPACES / deployed.lab.place.namespace
    started = time.monotonic()
    with entered(namespace), machines(known) as reached:
        status = hardening.show(reached)
    LOG.info("every control on two nodes: %.1f s", time.monotonic() - started)
    return status


def failing(said: str) -> dict[str, str]:
    lines = [line.split(maxsplit=2) for line in said.splitlines() if line.startswith("FAIL")]
    return {number: why for _, number, why in lines}


def test_no_control_fails(deployed, capsys):
    status = shown(deployed)

    said = capsys.readouterr().out
    LOG.info("%s", said)
    assert failing(said) == {}
    assert (status, ", 0 failing" in said) == (0, True)


def test_pods_of_k3s_run_with_what_was_hardened(deployed):
    said = deployed.kubectl("-n kube-system rollout status deployment coredns --timeout=120s")

    assert "successfully rolled out" in said


def test_what_is_wrong_is_seen_where_it_is(deployed, capsys):
    server, agent = deployed.machine(SERVER), deployed.machine(AGENT)
    worse = {
        SERVER: {"kube-apiserver-arg+": ["audit-log-maxage=5"]},
        AGENT: {"kubelet-arg+": ["anonymous-auth=true"]},
    }
    for machine, unit in ((server, "k3s"), (agent, "k3s-agent")):
        told = json.dumps(worse[machine.name])
        machine.ssh(f"umask 077 && echo '{told}' >{WORSE} && systemctl restart {unit}")
    deployed.well(SERVER, AGENT)
    # After its start, at which K3s writes its keys as they must be.
    server.ssh(f"chmod 640 {KEY}")

    status = shown(deployed)

    found = failing(capsys.readouterr().out)
    assert status == 1
    assert {*found} == {"1.1.21", "1.2.17", "4.2.1"}, found
    assert f"{SERVER}: {KEY} is 640" in found["1.1.21"]
    assert f"{SERVER}: kube-apiserver --audit-log-maxage is 5" in found["1.2.17"]
    assert f"{AGENT}: kubelet's anonymous-auth is true" in found["4.2.1"]


def test_what_was_made_right_is_seen_too(deployed, capsys):
    deployed.machine(SERVER).ssh(f"chmod 600 {KEY} && rm {WORSE} && systemctl restart k3s")
    deployed.machine(AGENT).ssh(f"rm {WORSE} && systemctl restart k3s-agent")
    deployed.well(SERVER, AGENT)

    assert shown(deployed) == 0, capsys.readouterr().out
