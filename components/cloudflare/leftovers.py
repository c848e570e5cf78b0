"""What a killed run may have left at Cloudflare, and a destroyed stack on purpose: its bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from urllib.parse import quote

from ..https import JsonApi
from ..leftovers import Ask, Found, Inputs
from .resources import AccountToken, R2Bucket


def questions(api: JsonApi) -> Mapping[str, Ask]:
    """Return how to ask for each type of resource."""
    return {
        R2Bucket.TYPE: partial(_bucket, api),
        AccountToken.TYPE: partial(_token, api),
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
    there = _rows(_result(api, f"{tokens}?per_page=50"))
    lost = [token["id"] for token in there if token["name"] == inputs["name"]]
    if not lost:
        return None
    return Found(
        import_id=None,
        seen=f"{len(lost)} keys whose value nobody has",
        make_ready=partial(_delete, api, [f"{tokens}/{id_}" for id_ in lost]),
    )


def _delete(api: JsonApi, paths: Iterable[str]) -> None:
    for path in paths:
        api.call("DELETE", path)


def _rows(result: object) -> list[dict[str, str]]:
    return result if isinstance(result, list) else []


def _result(api: JsonApi, path: str) -> object:
    document = api.get(path)
    return document.get("result") if isinstance(document, dict) else None
