"""The calls about VMs."""

from __future__ import annotations

from hashlib import sha1

from fastapi import FastAPI

from . import parameters, power, snapshots, vms
from .cluster import Cluster
from .forms import Answer, Form, Query, resource, shown
from .refused import Refused
from .tasks import Work

VM = "/api2/json/nodes/{node}/qemu/{vm_id}"
AGENT = ("get-host-name", "network-get-interfaces", "ping")


def add(app: FastAPI, cluster: Cluster) -> None:
    """Add the calls to the API."""
    _add_life(app, cluster)
    _add_power(app, cluster)
    _add_config(app, cluster)
    _add_snapshots(app, cluster)


def _add_life(app: FastAPI, cluster: Cluster) -> None:
    @app.post("/api2/json/nodes/{node}/qemu")
    def create(node: str, form: Form) -> Answer:
        parameters.CREATE.check(form)
        vm_id = vms.reserve(cluster, node, form).vm_id
        return _task(cluster, vm_id, "qmcreate", lambda log: vms.build(cluster, vm_id, form, log))

    @app.delete(VM)
    def destroy(vm_id: int, query: Query) -> Answer:
        parameters.DESTROY.check(query)
        vms.check_protection(cluster.vm(vm_id))
        every = query.get("destroy-unreferenced-disks") == "1"
        return _task(
            cluster, vm_id, "qmdestroy", lambda _: vms.destroy(cluster, vm_id, unreferenced=every)
        )


def _add_power(app: FastAPI, cluster: Cluster) -> None:
    @app.post(VM + "/status/{action}")
    def change_power(vm_id: int, action: str, form: Form) -> Answer:
        if action not in power.ACTIONS:
            raise Refused(f"STAND-IN: status/{action} is not emulated")
        parameters.POWER[action].check(form)
        if action in power.NEED_A_RUNNING_VM:
            power.must_run(cluster.vm(vm_id))
        act = power.ACTIONS[action]
        return _task(cluster, vm_id, f"qm{action}", lambda log: act(cluster, vm_id, log, form))

    @app.get(VM + "/status/current")
    def current(vm_id: int) -> Answer:
        vm = cluster.vm(vm_id)
        paused = vm.running and cluster.hardware.paused(vm)
        state = "paused" if paused else "running" if vm.running else "stopped"
        return {"data": resource(vm) | {"qmpstatus": state, "agent": int(_has_agent(vm.config))}}

    @app.get(VM + "/agent/{question}")
    @app.post(VM + "/agent/{question}")
    def agent(vm_id: int, question: str) -> Answer:
        vm = cluster.vm(vm_id)
        if not _has_agent(vm.config):
            raise Refused("No QEMU guest agent configured")
        if not vm.running:
            raise Refused(f"VM {vm_id} is not running")
        if question not in AGENT:
            raise Refused(f"STAND-IN: agent/{question} is not emulated")
        return {"data": {"result": cluster.hardware.ask_agent(vm, question)}}


def _add_config(app: FastAPI, cluster: Cluster) -> None:
    @app.get(VM + "/config")
    def config(vm_id: int) -> Answer:
        kept = cluster.vm(vm_id).config
        digest = sha1(str(kept).encode(), usedforsecurity=False).hexdigest()
        return {"data": {**shown(kept), "digest": digest}}

    @app.get(VM + "/pending")
    def pending(vm_id: int) -> Answer:
        kept = shown(cluster.vm(vm_id).config)
        return {"data": [{"key": key, "value": value} for key, value in kept.items()]}

    @app.put(VM + "/config")
    def change(vm_id: int, form: Form) -> Answer:
        parameters.CHANGE.check(form)
        vms.change(cluster, vm_id, form, lambda _: None)
        return {"data": None}

    @app.post(VM + "/config")
    def change_in_a_task(vm_id: int, form: Form) -> Answer:
        parameters.CHANGE.check(form)
        return _task(cluster, vm_id, "qmconfig", lambda log: vms.change(cluster, vm_id, form, log))

    @app.put(VM + "/resize")
    def resize(vm_id: int, form: Form) -> Answer:
        parameters.RESIZE.check(form)
        disk, size = form["disk"], form["size"]
        return _task(cluster, vm_id, "resize", lambda _: vms.resize(cluster, vm_id, disk, size))


def _add_snapshots(app: FastAPI, cluster: Cluster) -> None:
    @app.get(VM + "/snapshot")
    def listed(vm_id: int) -> Answer:
        vm = cluster.vm(vm_id)
        kept = [
            {"name": name, "description": s.description, "snaptime": s.at, "vmstate": 0}
            | ({"parent": s.parent} if s.parent else {})
            for name, s in vm.snapshots.items()
        ]
        now = {"name": "current", "description": "You are here!", "running": int(vm.running)}
        return {"data": [*kept, now | ({"parent": vm.parent} if vm.parent else {})]}

    @app.post(VM + "/snapshot")
    def create(vm_id: int, form: Form) -> Answer:
        parameters.SNAPSHOT_CREATE.check(form)
        if form.get("vmstate") == "1":
            raise Refused("STAND-IN: the memory's content is not kept in a snapshot")
        name, text = form["snapname"], form.get("description", "")
        return _task(
            cluster, vm_id, "qmsnapshot", lambda _: snapshots.create(cluster, vm_id, name, text)
        )

    @app.post(VM + "/snapshot/{name}/rollback")
    def roll_back(vm_id: int, name: str, form: Form) -> Answer:
        parameters.ROLLBACK.check(form)
        start = form.get("start") == "1"
        return _task(
            cluster,
            vm_id,
            "qmrollback",
            lambda log: snapshots.roll_back(cluster, vm_id, name, log, start=start),
        )

    @app.delete(VM + "/snapshot/{name}")
    def delete(vm_id: int, name: str, query: Query) -> Answer:
        parameters.DELETE_SNAPSHOT.check(query)
        return _task(
            cluster, vm_id, "qmdelsnapshot", lambda _: snapshots.delete(cluster, vm_id, name)
        )


def _task(cluster: Cluster, vm_id: int, kind: str, work: Work) -> Answer:
    return {"data": cluster.task(vm_id, kind, work)}


def _has_agent(config: dict[str, str]) -> bool:
    value = config.get("agent", "0")
    return value.startswith("1") or "enabled=1" in value
