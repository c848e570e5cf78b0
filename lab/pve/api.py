"""The calls of Proxmox VE's API that the provider makes, on :class:`lab.pve.cluster.Cluster`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from .cluster import Cluster, Refused, Vm

Answer = dict[str, Any]


async def form_of(request: Request) -> dict[str, str]:
    """Return a form-encoded body."""
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def api(cluster: Cluster, token: str) -> FastAPI:
    """Return the API of ``cluster`` for the holder of ``token``."""
    app = FastAPI(title="An emulated Proxmox VE", openapi_url=None)
    app.state.calls = []
    app.state.before_change = lambda _: None

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"data": None, "message": f"{error}\n"}, status_code=500)

    @app.middleware("http")
    async def admit(request: Request, call_next: Any) -> Any:  # noqa: ANN401 - Starlette's own
        app.state.calls.append(f"{request.method} {request.url.path.removeprefix('/api2/json')}")
        if request.headers.get("Authorization") != f"PVEAPIToken={token}":
            return JSONResponse({"data": None, "message": "no ticket"}, status_code=401)
        if request.method != "GET":
            # In a thread: what a test does here may take its time.
            await run_in_threadpool(app.state.before_change, request.url.path)
        return await call_next(request)

    _add_cluster(app, cluster)
    _add_storage(app, cluster)
    _add_vms(app, cluster)
    _add_firewall(app, cluster)
    return app


def _add_cluster(app: FastAPI, cluster: Cluster) -> None:
    @app.get("/api2/json/version")
    def version() -> Answer:
        return {"data": {"version": "9.0.11", "release": "9.0", "repoid": "emulated"}}

    @app.get("/api2/json/nodes")
    def nodes() -> Answer:
        return {"data": [{"node": n, "status": "online", "type": "node"} for n in cluster.nodes]}

    @app.get("/api2/json/cluster/firewall/options")
    def firewall() -> Answer:
        return {"data": {"enable": int(cluster.firewall)}}

    @app.get("/api2/json/cluster/resources")
    def resources() -> Answer:
        return {"data": [_resource(vm) for vm in cluster.vms.values()]}

    @app.get("/api2/json/nodes/{node}/tasks/{upid}/status")
    def task(node: str, upid: str) -> Answer:
        return {"data": {"status": "stopped", "exitstatus": "OK", "upid": upid, "node": node}}

    @app.get("/api2/json/nodes/{node}/tasks/{upid}/log")
    def log() -> Answer:
        return {"data": [{"n": 1, "t": "TASK OK"}]}

    @app.get("/api2/json/pools")
    def pools(poolid: str | None = None) -> Answer:
        if poolid is not None and poolid not in cluster.pools:
            raise Refused(f"pool '{poolid}' does not exist")
        wanted = cluster.pools if poolid is None else [poolid]
        return {"data": [_pool(cluster, name) for name in wanted]}

    @app.post("/api2/json/pools")
    async def create_pool(request: Request) -> Answer:
        form = await form_of(request)
        if form["poolid"] in cluster.pools:
            raise Refused(f"create pool failed: pool '{form['poolid']}' already exists")
        cluster.pools[form["poolid"]] = form.get("comment", "")
        return {"data": None}

    @app.put("/api2/json/pools")
    async def change_pool(poolid: str, request: Request) -> Answer:
        cluster.pools[poolid] = (await form_of(request)).get("comment", cluster.pools[poolid])
        return {"data": None}

    @app.delete("/api2/json/pools")
    def delete_pool(poolid: str) -> Answer:
        if any(vm.config.get("pool") == poolid for vm in cluster.vms.values()):
            raise Refused(f"delete pool failed: pool '{poolid}' is not empty")
        cluster.pools.pop(poolid, None)
        return {"data": None}


def _add_storage(app: FastAPI, cluster: Cluster) -> None:
    @app.get("/api2/json/nodes/{node}/query-url-metadata")
    def metadata(url: str) -> Answer:
        return {"data": {"filename": url.rsplit("/", 1)[-1], "size": 341_508_096, "mimetype": ""}}

    @app.get("/api2/json/nodes/{node}/storage/{storage}/content")
    def content(storage: str) -> Answer:
        return {
            "data": [
                {"volid": volume, "size": size, "format": "qcow2", "content": "import"}
                for volume, size in cluster.files.items()
                if volume.startswith(f"{storage}:")
            ]
        }

    @app.post("/api2/json/nodes/{node}/storage/{storage}/download-url")
    async def download(node: str, storage: str, request: Request) -> Answer:
        form = await form_of(request)
        cluster.files[f"{storage}:{form['content']}/{form['filename']}"] = 341_508_096
        return {"data": cluster.task(node, "download", form["filename"])}

    @app.delete("/api2/json/nodes/{node}/storage/{storage}/content/{volume:path}")
    def delete_file(node: str, volume: str) -> Answer:
        cluster.files.pop(unquote(volume), None)
        return {"data": cluster.task(node, "imgdel", volume)}


def _add_vms(app: FastAPI, cluster: Cluster) -> None:
    vm_path = "/api2/json/nodes/{node}/qemu/{vm_id}"

    @app.post("/api2/json/nodes/{node}/qemu")
    async def create(node: str, request: Request) -> Answer:
        vm = cluster.create(node, await form_of(request))
        return {"data": cluster.task(node, "qmcreate", str(vm.vm_id))}

    @app.get(vm_path + "/config")
    def config(vm_id: int) -> Answer:
        vm = cluster.vm(vm_id)
        return {"data": {**cluster.shown(vm), "digest": str(hash(str(vm.config)))}}

    @app.put(vm_path + "/config")
    @app.post(vm_path + "/config")
    async def change(node: str, vm_id: int, request: Request) -> Answer:
        cluster.change(cluster.vm(vm_id), await form_of(request))
        return {
            "data": cluster.task(node, "qmconfig", str(vm_id)) if request.method == "POST" else None
        }

    @app.put(vm_path + "/resize")
    async def resize(node: str, vm_id: int, request: Request) -> Answer:
        form = await form_of(request)
        cluster.resize(cluster.vm(vm_id), form["disk"], form["size"])
        return {"data": cluster.task(node, "resize", str(vm_id))}

    @app.get(vm_path + "/status/current")
    def current(vm_id: int) -> Answer:
        return {"data": _resource(cluster.vm(vm_id)) | {"qmpstatus": _status(cluster.vm(vm_id))}}

    @app.post(vm_path + "/status/{action}")
    def power(node: str, vm_id: int, action: str) -> Answer:
        cluster.vm(vm_id).running = action in ("start", "reboot", "reset", "resume")
        return {"data": cluster.task(node, f"qm{action}", str(vm_id))}

    @app.get(vm_path + "/agent/{question}")
    def agent(vm_id: int) -> Answer:
        cluster.vm(vm_id)
        raise Refused("QEMU guest agent is not running")

    @app.get(vm_path + "/pending")
    def pending(vm_id: int) -> Answer:
        return {
            "data": [{"key": k, "value": v} for k, v in cluster.shown(cluster.vm(vm_id)).items()]
        }

    @app.get(vm_path + "/snapshot")
    def snapshots(vm_id: int) -> Answer:
        kept = cluster.vm(vm_id).snapshots.items()
        listed = [{"name": name, "description": s.description} for name, s in kept]
        return {"data": [*listed, {"name": "current", "description": "You are here!"}]}

    @app.post(vm_path + "/snapshot")
    async def snapshot(node: str, vm_id: int, request: Request) -> Answer:
        form = await form_of(request)
        cluster.snapshot(cluster.vm(vm_id), form["snapname"], form.get("description", ""))
        return {"data": cluster.task(node, "qmsnapshot", str(vm_id))}

    @app.post(vm_path + "/snapshot/{name}/rollback")
    def rollback(node: str, vm_id: int, name: str) -> Answer:
        cluster.rollback(cluster.vm(vm_id), name)
        return {"data": cluster.task(node, "qmrollback", str(vm_id))}

    @app.delete(vm_path + "/snapshot/{name}")
    def delete_snapshot(node: str, vm_id: int, name: str) -> Answer:
        cluster.vm(vm_id).snapshots.pop(name)
        return {"data": cluster.task(node, "qmdelsnapshot", str(vm_id))}

    @app.delete(vm_path)
    def destroy(node: str, vm_id: int) -> Answer:
        cluster.destroy(cluster.vm(vm_id))
        return {"data": cluster.task(node, "qmdestroy", str(vm_id))}


def _add_firewall(app: FastAPI, cluster: Cluster) -> None:
    path = "/api2/json/nodes/{node}/qemu/{vm_id}/firewall"

    @app.get(path + "/options")
    def options(vm_id: int) -> Answer:
        return {"data": {k: _number(v) for k, v in cluster.vm(vm_id).firewall.items()}}

    @app.put(path + "/options")
    async def set_options(vm_id: int, request: Request) -> Answer:
        form, firewall = await form_of(request), cluster.vm(vm_id).firewall
        for key in filter(None, form.pop("delete", "").split(",")):
            firewall.pop(key, None)
        firewall.update(form)
        return {"data": None}

    @app.get(path + "/rules")
    def rules(vm_id: int) -> Answer:
        return {
            "data": [_rule(cluster.vm(vm_id), pos) for pos in range(len(cluster.vm(vm_id).rules))]
        }

    @app.post(path + "/rules")
    async def add_rule(vm_id: int, request: Request) -> Answer:
        # Proxmox puts a new rule first unless it is told where.
        form = await form_of(request)
        cluster.vm(vm_id).rules.insert(int(form.pop("pos", "0")), form)
        return {"data": None}

    @app.get(path + "/rules/{pos}")
    def rule(vm_id: int, pos: int) -> Answer:
        if pos >= len(cluster.vm(vm_id).rules):
            raise Refused(f"no rule at position {pos}")
        # The position comes as it was asked for: in a list a number, here a string.
        return {"data": _rule(cluster.vm(vm_id), pos) | {"pos": str(pos)}}

    @app.put(path + "/rules/{pos}")
    async def change_rule(vm_id: int, pos: int, request: Request) -> Answer:
        form, rules = await form_of(request), cluster.vm(vm_id).rules
        if "moveto" in form:
            rules.insert(int(form["moveto"]), rules.pop(pos))
        else:
            for key in filter(None, form.pop("delete", "").split(",")):
                rules[pos].pop(key, None)
            rules[pos].update(form)
        return {"data": None}

    @app.delete(path + "/rules/{pos}")
    def delete_rule(vm_id: int, pos: int) -> Answer:
        del cluster.vm(vm_id).rules[pos]
        return {"data": None}


def _rule(vm: Vm, pos: int) -> Answer:
    return {**{k: _number(v) if k == "enable" else v for k, v in vm.rules[pos].items()}, "pos": pos}


def _number(value: str) -> str | int:
    return int(value) if value.isdigit() else value


def _status(vm: Vm) -> str:
    return "running" if vm.running else "stopped"


def _resource(vm: Vm) -> Answer:
    return {
        "id": f"qemu/{vm.vm_id}",
        "type": "qemu",
        "vmid": vm.vm_id,
        "node": vm.node,
        "name": vm.config.get("name", ""),
        "tags": vm.config.get("tags", ""),
        "pool": vm.config.get("pool", ""),
        "status": _status(vm),
        "template": int(vm.config.get("template", "0")),
    }


def _pool(cluster: Cluster, name: str) -> Answer:
    members = [_resource(vm) for vm in cluster.vms.values() if vm.config.get("pool") == name]
    return {"poolid": name, "comment": cluster.pools[name], "members": members}
