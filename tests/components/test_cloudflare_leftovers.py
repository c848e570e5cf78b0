"""What a killed run left at Cloudflare is found by its name, and nobody else's thing is touched."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.cloudflare.leftovers import questions
from components.cloudflare.names import mark
from components.cloudflare.resources import (
    AccountToken,
    DnsRecord,
    R2Bucket,
    ZeroTrustAccessApplication,
    ZeroTrustAccessPolicy,
    ZeroTrustTunnelCloudflared,
)

ACCOUNT, ZONE = "acc0" * 8, "1ab0" * 8
MANY = [{"id": f"other-{number}", "name": f"of somebody else {number}"} for number in range(60)]


class Account:
    """An account with some of everything; it raises on anything unexpected."""

    def __init__(self) -> None:
        self.called: list[str] = []
        host = {"name": "app.example.org", "id": "r1"}
        self.there: dict[str, Any] = {
            f"/accounts/{ACCOUNT}/r2/buckets": {"buckets": [{"name": "cold"}, {"name": "cold-2"}]},
            f"/accounts/{ACCOUNT}/tokens": [*MANY, {"id": "1", "name": "cold"}],
            f"/accounts/{ACCOUNT}/cfd_tunnel": [{"id": "t1", "name": "cold"}],
            f"/accounts/{ACCOUNT}/access/policies": [
                {"id": "p1", "name": "cold"}, *MANY, {"id": "p2", "name": "cold"},
            ],
            f"/accounts/{ACCOUNT}/access/apps": [{"id": "a1", "name": "cold"}, *MANY],
            f"/zones/{ZONE}/dns_records": [host | {"comment": mark("coldstorage-testing")}],
        }  # fmt: skip

    def get(self, path):
        url = urlsplit(path)
        result, asked = self.there[url.path], parse_qs(url.query)
        if "page" in asked:
            page, size = int(asked["page"][0]), int(asked["per_page"][0])
            result = result[(page - 1) * size : page * size]
        return {"result": result}

    def call(self, method, path):
        self.called.append(f"{method} {path}")


def asked(kind, account=None, **inputs):
    return questions(account or Account())[kind.TYPE]({"accountId": ACCOUNT, **inputs})


@pytest.mark.parametrize(
    ("kind", "import_id"),
    [
        (R2Bucket, f"{ACCOUNT}/cold/default"),
        (ZeroTrustTunnelCloudflared, f"{ACCOUNT}/t1"),
        (ZeroTrustAccessPolicy, f"{ACCOUNT}/p1"),
        (ZeroTrustAccessApplication, f"accounts/{ACCOUNT}/a1"),
    ],
)
def test_what_is_there_under_its_name_is_taken_over_and_under_another_it_is_not(kind, import_id):
    assert asked(kind, name="cold").import_id == import_id
    assert asked(kind, name="col") is None


def test_a_key_whose_value_nobody_has_is_deleted_and_no_other():
    account = Account()

    found = asked(AccountToken, account, name="cold")
    found.make_ready()

    assert found.import_id is None
    assert account.called == [f"DELETE /accounts/{ACCOUNT}/tokens/1"]
    assert asked(AccountToken, name="col") is None


def test_of_several_policies_of_one_name_one_is_taken_over_and_the_others_go():
    account = Account()

    found = asked(ZeroTrustAccessPolicy, account, name="cold")
    assert account.called == []
    found.make_ready()

    assert "1 more" in found.seen
    assert account.called == [f"DELETE /accounts/{ACCOUNT}/access/policies/p2"]


def test_one_alone_is_taken_over_as_it_is():
    account = Account()

    asked(ZeroTrustAccessApplication, account, name="cold").make_ready()

    assert account.called == []


def record(owner):
    return asked(DnsRecord, zoneId=ZONE, name="app.example.org", type="CNAME", comment=mark(owner))


def test_a_record_is_a_leftover_only_if_it_bears_the_mark_of_this_stack():
    assert record("coldstorage-testing").import_id == f"{ZONE}/r1"
    assert record("coldstorage-production") is None
