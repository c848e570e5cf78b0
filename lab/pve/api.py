"""Proxmox VE's API as far as the provider calls it, on :class:`lab.pve.cluster.Cluster`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from . import cluster_api, firewall_api, storage_api, vm_api
from .cluster import Cluster
from .failures import Failures
from .forms import Form, Query
from .gate import PREFIX, Gate, answer
from .refused import Refused, WrongParametersError


def api(
    cluster: Cluster, token: str, power: Mapping[str, Collection[int]] | None = None
) -> FastAPI:
    """Return the API of ``cluster`` for the holder of ``token``.

    ``power`` are tokens that may see and change nothing but the power of some VMs.

    Its state has ``calls`` (each as ``METHOD /path``), ``before_change`` (called with the path of
    each call that changes something, before it does), ``on_call`` (called with each call that is
    done and its parameters) and ``failures`` (those asked for).
    """
    app = FastAPI(
        title="An emulated Proxmox VE (STAND-IN)", openapi_url=None, dependencies=[Depends(_tell)]
    )
    app.state.calls = []
    app.state.on_call = lambda *_: None
    app.state.before_change = lambda _: None
    app.state.failures = Failures()
    app.add_middleware(Gate, token=token, power=power or {})

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return answer(str(error), 500)

    @app.exception_handler(WrongParametersError)
    async def wrong_parameters(_: Request, error: WrongParametersError) -> JSONResponse:
        return answer(str(error), 400, error.errors)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def unknown(request: Request, _: Exception) -> JSONResponse:
        return answer(f"Method '{request.method} {request.url.path}' not implemented", 501)

    for part in (cluster_api, storage_api, vm_api, firewall_api):
        part.add(app, cluster)
    return app


async def _tell(request: Request, form: Form, query: Query) -> None:
    call = f"{request.method} {request.url.path.removeprefix(PREFIX)}"
    request.app.state.on_call(call, {**query, **form})
