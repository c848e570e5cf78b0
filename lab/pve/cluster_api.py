"""The calls about the cluster, its tasks and its pools."""

from __future__ import annotations

from fastapi import FastAPI

from .cluster import Cluster
from .forms import Answer, Form, pool, resource
from .parameters import POOL
from .refused import Refused, WrongParametersError

TASKS = "/api2/json/nodes/{node}/tasks"
TASK = f"{TASKS}/{{upid}}"


def add(app: FastAPI, cluster: Cluster) -> None:
    """Add the calls to the API."""

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
        return {"data": [resource(vm) for vm in cluster.all_vms()]}

    @app.get(TASKS)
    def tasks(node: str, source: str = "archive") -> Answer:
        if source != "active":
            raise WrongParametersError({"source": f"'{source}' is not emulated, 'active' is"})
        return {"data": cluster.tasks.latest(node)}

    @app.get(f"{TASK}/status")
    def task(upid: str) -> Answer:
        return {"data": cluster.tasks.find(upid).status}

    @app.get(f"{TASK}/log")
    def log(upid: str) -> Answer:
        lines = cluster.tasks.find(upid).lines
        return {"data": [{"n": n, "t": line} for n, line in enumerate(lines, 1)]}

    _add_pools(app, cluster)


def _add_pools(app: FastAPI, cluster: Cluster) -> None:
    def known(name: str) -> str:
        if name not in cluster.pools:
            raise Refused(f"pool '{name}' does not exist")
        return name

    @app.get("/api2/json/pools")
    def pools(poolid: str | None = None) -> Answer:
        wanted = list(cluster.pools) if poolid is None else [known(poolid)]
        return {"data": [pool(cluster, name) for name in wanted]}

    @app.post("/api2/json/pools")
    def create(form: Form) -> Answer:
        POOL.check(form)
        with cluster.changing() as records:
            if form["poolid"] in records.pools:
                raise Refused(f"create pool failed: pool '{form['poolid']}' already exists")
            records.pools[form["poolid"]] = form.get("comment", "")
        return {"data": None}

    @app.put("/api2/json/pools")
    def change(poolid: str, form: Form) -> Answer:
        with cluster.changing() as records:
            records.pools[known(poolid)] = form.get("comment", records.pools[poolid])
        return {"data": None}

    @app.delete("/api2/json/pools")
    def delete(poolid: str) -> Answer:
        with cluster.changing() as records:
            if any(vm.pool == known(poolid) for vm in records.vms.values()):
                raise Refused(f"delete pool failed: pool '{poolid}' is not empty")
            del records.pools[poolid]
        return {"data": None}
