"""The calls of Cloudflare's own API that the guard and the repair make, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from .cloud import Cloud
from .records import Record, Values

Answer = Mapping[str, Any]
# What is listed by page and deleted by id: where it is, and as what it is recorded.
LISTED = {
    "tokens": "AccountToken",
    "access/policies": "ZeroTrustAccessPolicy",
    "access/apps": "ZeroTrustAccessApplication",
}


def as_the_program_asks(cloud: Cloud, account_id: str) -> APIRouter:
    """Return the calls; ``account_id`` is the only account there is."""
    router = APIRouter()
    account = f"/accounts/{account_id}"

    @router.get("/zones")
    def zones(name: str) -> Answer:
        return _found(_zone(zone) for zone in _named(cloud, "Zone", name))

    @router.get("/zones/{zone}/dns_records")
    def dns_records(zone: str, name: str, type: str) -> Answer:  # noqa: A002 - the query's own name
        there = (record.inputs | {"id": record.id} for record in _named(cloud, "DnsRecord", name))
        return _found(r for r in there if (r["zoneId"], r["type"]) == (zone, type))

    @router.get(f"{account}/r2/buckets")
    def buckets(name_contains: str = "") -> Answer:
        found = [{"name": b.id} for b in cloud.records.of("R2Bucket") if name_contains in b.id]
        return {"success": True, "result": {"buckets": found}}

    @router.get(f"{account}/cfd_tunnel")
    def tunnels(name: str) -> Answer:
        return _found(map(_named_row, _named(cloud, "ZeroTrustTunnelCloudflared", name)))

    for path, kind in LISTED.items():
        _listed(router, cloud, f"{account}/{path}", kind)
    return router


def _listed(router: APIRouter, cloud: Cloud, path: str, kind: str) -> None:
    @router.get(path)
    def listed(
        page: Annotated[int, Query(ge=1)] = 1,
        per_page: Annotated[int, Query(ge=1, le=50)] = 20,
    ) -> Answer:
        rows = [_named_row(record) for record in cloud.records.of(kind)]
        return _found(rows[(page - 1) * per_page : page * per_page])

    @router.delete(f"{path}/{{id_}}")
    def deleted(id_: str) -> Answer:
        cloud.delete(kind, id_)
        return {"success": True, "result": {"id": id_}}


def _found(rows: Iterable[Values]) -> Answer:
    return {"success": True, "result": list(rows)}


def _named(cloud: Cloud, kind: str, name: str) -> Iterable[Record]:
    return (record for record in cloud.records.of(kind) if record.inputs["name"] == name)


def _named_row(record: Record) -> Values:
    return {"id": record.id, "name": record.inputs["name"]}


def _zone(zone: Record) -> Values:
    account = {"id": zone.inputs["account"]["id"], "name": "lab"}
    return {"id": zone.id, "name": zone.inputs["name"], "account": account}
