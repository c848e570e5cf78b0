"""Power at the platforms, over the wire: what a token may do, and what counts as a proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from hosts.on_machine.fencing import hypervisor
from hosts.on_machine.fencing.hypervisor import NotProvenError, power_off
from lab.pve.api import api
from lab.pve.cluster import Cluster
from lab.pve.failures import Failure, How
from lab.pve.records import Vm
from lab.serve import Authority, Served, serving

TOKEN = "fencing@pve!database=canary"
MACHINES = {"db-node1": {"node": "pve", "vm_id": 220}, "other": {"node": "pve", "vm_id": 300}}


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    for vm_id in (220, 300):
        cluster.records.vms[vm_id] = Vm(vm_id=vm_id, node="pve", running=True)
    return cluster


@pytest.fixture
def app(cluster) -> FastAPI:
    return api(cluster, "nobody", power={TOKEN: {220}})


@pytest.fixture
def served(app, tmp_path) -> Iterator[Served]:
    with serving(app, "proxmox", Authority(tmp_path)) as made:
        yield made


def proxmox(served: Served, **more: Any) -> hypervisor.Hypervisor:
    told = {"endpoint": served.endpoint, "fingerprint": served.fingerprint, "token": TOKEN}
    return hypervisor.of({"kind": "proxmox", **told, "machines": MACHINES, **more})


def test_a_machine_that_was_stopped_is_proven_off(served, cluster):
    power_off(proxmox(served), "db-node1")

    assert not cluster.vm(220).running
    assert cluster.vm(300).running


def test_one_that_is_off_already_is_proven_off(served, cluster):
    cluster.records.vms[220].running = False

    power_off(proxmox(served), "db-node1")


@pytest.mark.usefixtures("hasty")
def test_the_token_is_for_the_power_of_its_machines_alone(served, cluster):
    with pytest.raises(NotProvenError, match="403"):
        power_off(proxmox(served), "other")
    with pytest.raises(NotProvenError, match="401"):
        power_off(proxmox(served, token="somebody@pve!else=1"), "db-node1")

    assert cluster.vm(220).running
    assert cluster.vm(300).running


@pytest.mark.usefixtures("hasty")
def test_who_shows_another_certificate_is_told_nothing(served, app):
    with pytest.raises(NotProvenError, match="presents the certificate"):
        power_off(proxmox(served, fingerprint="00:11"), "db-node1")

    assert not app.state.calls


@pytest.fixture
def hasty(monkeypatch):
    """Have what is never proven be given up soon; a proof has all its time, on a busy computer."""
    monkeypatch.setattr(hypervisor, "PROOF_SECONDS", 0.5)
    monkeypatch.setattr(hypervisor, "PATIENCE", 0.3)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("how", [How.REFUSED, How.HANGS])
def test_what_is_not_done_is_no_proof_and_not_asked_for_twice(served, app, cluster, how):
    failing = app.state.failures.asked(Failure(how=how))
    with failing, pytest.raises(NotProvenError, match=r"not seen off.*status/stop"):
        power_off(proxmox(served), "db-node1")

    assert cluster.vm(220).running
    assert sum(call.startswith("POST") for call in app.state.calls) == 1


def test_one_that_is_off_is_proven_so_even_if_the_order_was_not_answered(served, app):
    with app.state.failures.asked(Failure(how=How.UNANSWERED)):
        power_off(proxmox(served), "db-node1")


@pytest.mark.usefixtures("hasty")
def test_one_that_goes_on_running_is_no_proof(served, cluster, monkeypatch):
    monkeypatch.setattr(cluster.hardware, "running", lambda _: True)

    with pytest.raises(NotProvenError, match="not seen off"):
        power_off(proxmox(served), "db-node1")


@pytest.mark.usefixtures("hasty")
def test_nobody_there_is_no_proof():
    away = Served(endpoint="https://127.0.0.1:1", fingerprint="00")
    with pytest.raises(NotProvenError):
        power_off(proxmox(away), "db-node1")


@pytest.mark.usefixtures("hasty")
def test_no_failure_tells_the_token(served):
    with pytest.raises(NotProvenError) as refused:
        power_off(proxmox(served), "other")

    assert "canary" not in str(refused.value)


def test_a_server_of_hetzner_is_off_when_hetzner_says_so(tmp_path):
    app, states, tokens = FastAPI(), iter(["running", "stopping", "off"]), []

    @app.middleware("http")
    async def note(request, following):
        tokens.append(request.headers["authorization"])
        return await following(request)

    @app.post("/v1/servers/42/actions/poweroff", status_code=201)
    def stop() -> dict[str, Any]:
        return {"action": {"id": 1, "status": "running"}}

    @app.get("/v1/servers/42")
    def look() -> dict[str, Any]:
        return {"server": {"id": 42, "status": next(states)}}

    authority = Authority(tmp_path)
    with serving(app, "hetzner", authority) as served:
        told = {"endpoint": f"{served.endpoint}/v1", "token": "canary"}
        machines = {"db-node1": {"server_id": 42}}
        of_hetzner = hypervisor.of(
            {"kind": "hetzner", **told, "authority": authority.certificate, "machines": machines}
        )
        power_off(of_hetzner, "db-node1")

    assert {*tokens} == {"Bearer canary"}
    assert next(states, None) is None
