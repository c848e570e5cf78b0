"""The lab's protocol over HTTPS: a handful of calls, the same for every cloud.

``GET /lab`` says who this is, and needs no token. ``/lab/records/KIND`` takes POST, and with
``?id=`` GET, PUT and DELETE; ``POST /lab/functions/NAME`` answers a look-up. ``/lab/records``,
``/lab/calls`` and ``/lab/faults`` are for tests and for ``lab fault``. All of it lies below the
real API's prefix.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse

from .cloud import Cloud
from .faults import Fault, Faults
from .records import Refused, Values

Inputs = Annotated[Values, Body(embed=True)]
SPARED = ("/lab", "/lab/calls", "/lab/faults", "/lab/records")


def app(cloud: Cloud, *, prefix: str, token: str, also: APIRouter | None = None) -> Faults:
    """Return the API of ``cloud`` for the holder of ``token``, with ``also`` of the real one."""
    api = FastAPI(title=f"The lab's {cloud.name} (STAND-IN)", openapi_url=None)

    @api.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        said = {"error": {"code": error.code, "message": str(error)}}
        return JSONResponse(said, status_code=error.status)

    @api.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": {"code": "lab", "message": str(error)}}, status_code=500)

    def admit(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise Refused(401, "unauthorized", "the token is not the one of this lab")

    opened = [Depends(admit)]
    faults = Faults(api, prefix=prefix, spared=SPARED)

    @api.get(f"{prefix}/lab")
    def who() -> Mapping[str, str]:
        return {"lab": cloud.name, "note": "a STAND-IN: nothing here is the real service"}

    api.include_router(_records(cloud), prefix=f"{prefix}/lab", dependencies=opened)
    api.include_router(_control(faults), prefix=f"{prefix}/lab", dependencies=opened)
    if also:
        api.include_router(also, prefix=prefix, dependencies=opened)
    return faults


def _records(cloud: Cloud) -> APIRouter:
    router = APIRouter()

    @router.get("/records")
    def everything() -> Mapping[str, list[Values]]:
        return {
            kind: [{"id": r.id, "name": r.outputs.get("name")} for r in found]
            for kind in cloud.kinds
            if (found := list(cloud.records.of(kind)))
        }

    @router.post("/records/{kind}")
    def create(kind: str, inputs: Inputs) -> Values:
        return cloud.create(kind, inputs).answer

    @router.get("/records/{kind}")
    def read(kind: str, id: str) -> Values:  # noqa: A002 - the query's own name
        return cloud.read(kind, id).answer

    @router.put("/records/{kind}")
    def update(kind: str, id: str, inputs: Inputs) -> Values:  # noqa: A002
        return cloud.update(kind, id, inputs).answer

    @router.delete("/records/{kind}")
    def delete(kind: str, id: str) -> Values:  # noqa: A002
        cloud.delete(kind, id)
        return {}

    @router.post("/functions/{name}")
    def invoke(name: str, inputs: Inputs) -> Values:
        return {"outputs": cloud.invoke(name, inputs)}

    return router


def _control(faults: Faults) -> APIRouter:
    router = APIRouter()

    @router.get("/calls")
    def calls() -> Mapping[str, Any]:
        return {"calls": list(faults.calls), "counted": faults.counted}

    @router.get("/faults")
    def planned() -> list[Mapping[str, Any]]:
        return [asdict(fault) for fault in faults.planned]

    @router.post("/faults")
    def plan(fault: Fault) -> None:
        faults.planned.append(fault)

    @router.delete("/faults")
    def heal() -> None:
        faults.planned.clear()

    return router
