"""What a killed run may have left at Cloudflare, and a destroyed stack on purpose: its bucket.

Tunnels and buckets have one name each in an account. Access applications and policies have none
that is taken: a second one stands beside the first and nobody is told, so all but one have to go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from urllib.parse import quote

from ..https import JsonApi
from ..leftovers import Ask, Found, Inputs, nothing
from .resources import (
    AccountToken,
    DnsRecord,
    R2Bucket,
    ZeroTrustAccessApplication,
    ZeroTrustAccessPolicy,
    ZeroTrustTunnelCloudflared,
)

PAGE = 50
Row = Mapping[str, str]


def questions(api: JsonApi) -> Mapping[str, Ask]:
    """Return how to ask for each type of resource."""
    return {
        R2Bucket.TYPE: partial(_bucket, api),
        AccountToken.TYPE: partial(_token, api),
        ZeroTrustTunnelCloudflared.TYPE: partial(_tunnel, api),
        DnsRecord.TYPE: partial(_record, api),
        ZeroTrustAccessPolicy.TYPE: partial(_policy, api),
        ZeroTrustAccessApplication.TYPE: partial(_application, api),
    }


def _bucket(api: JsonApi, inputs: Inputs) -> Found | None:
    account, name = inputs["accountId"], inputs["name"]
    found = _result(api, f"/accounts/{account}/r2/buckets?name_contains={quote(name)}")
    buckets = _rows(found.get("buckets") if isinstance(found, dict) else None)
    if name not in {bucket["name"] for bucket in buckets}:
        return None
    return Found(import_id=f"{account}/{name}/default", seen="bucket")


def _token(api: JsonApi, inputs: Inputs) -> Found | None:
    """Find tokens of this name: their values are told once, so nobody can use them any more."""
    tokens = f"/accounts/{inputs['accountId']}/tokens"
    lost = _named(_all(api, tokens), inputs["name"])
    if not lost:
        return None
    return Found(
        import_id=None,
        seen=f"{len(lost)} keys whose value nobody has",
        make_ready=partial(_delete, api, [f"{tokens}/{token['id']}" for token in lost]),
    )


def _tunnel(api: JsonApi, inputs: Inputs) -> Found | None:
    account, name = inputs["accountId"], inputs["name"]
    asked = f"/accounts/{account}/cfd_tunnel?is_deleted=false&name={quote(name)}"
    there = _named(_rows(_result(api, asked)), name)
    return Found(import_id=f"{account}/{there[0]['id']}", seen="tunnel") if there else None


def _record(api: JsonApi, inputs: Inputs) -> Found | None:
    zone, name = inputs["zoneId"], inputs["name"]
    asked = f"/zones/{zone}/dns_records?type={inputs['type']}&name={quote(name)}"
    there = _named(_rows(_result(api, asked)), name)
    ours = [record for record in there if record.get("comment") == inputs["comment"]]
    return Found(import_id=f"{zone}/{ours[0]['id']}", seen="record") if ours else None


def _policy(api: JsonApi, inputs: Inputs) -> Found | None:
    account = inputs["accountId"]
    return _one_of(api, f"/accounts/{account}/access/policies", inputs, account, "policy")


def _application(api: JsonApi, inputs: Inputs) -> Found | None:
    account = inputs["accountId"]
    prefix = f"accounts/{account}"
    return _one_of(api, f"/accounts/{account}/access/apps", inputs, prefix, "access application")


def _one_of(api: JsonApi, path: str, inputs: Inputs, prefix: str, what: str) -> Found | None:
    """Find one of this name, and have the others deleted."""
    there = _named(_all(api, path), inputs["name"])
    if not there:
        return None
    first, *others = there
    surplus = partial(_delete, api, [f"{path}/{other['id']}" for other in others])
    return Found(
        import_id=f"{prefix}/{first['id']}",
        seen=f"{what}, and {len(others)} more that go" if others else what,
        make_ready=surplus if others else nothing,
    )


def _delete(api: JsonApi, paths: Iterable[str]) -> None:
    for path in paths:
        api.call("DELETE", path)


def _named(rows: Iterable[Row], name: str) -> list[Row]:
    return [row for row in rows if row.get("name") == name]


def _all(api: JsonApi, path: str) -> list[Row]:
    """Return the rows of all pages."""
    found: list[Row] = []
    for page in range(1, 1000):
        rows = _rows(_result(api, f"{path}?per_page={PAGE}&page={page}"))
        found += rows
        if len(rows) < PAGE:
            break
    return found


def _rows(result: object) -> Sequence[Row]:
    return result if isinstance(result, list) else []


def _result(api: JsonApi, path: str) -> object:
    document = api.get(path)
    return document.get("result") if isinstance(document, dict) else None
