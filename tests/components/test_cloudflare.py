"""What the program has at Cloudflare, held to the provider's own package."""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings

import pulumi
import pytest

from components.cloudflare import BackupBucket, BackupBucketArgs
from components.cloudflare.leftovers import questions
from components.cloudflare.resources import AccountToken, R2Bucket, Resource, provider

ACCOUNT = "acc0" * 8


@pytest.fixture
def made(deploy):
    def program() -> pulumi.Output[object]:
        bucket = BackupBucket(
            "backups",
            BackupBucketArgs(account_id=ACCOUNT, bucket="cold-backups", endpoint="r2.example.org"),
            pulumi.ResourceOptions(provider=provider("token", "https://api.example.org")),
        )
        store = {name: value for name, value in bucket.store.items() if value is not None}
        key_secret = pulumi.Output.from_input(bucket.store["key_secret"])
        is_secret = pulumi.Output.from_input(key_secret.is_secret())
        return pulumi.Output.all(store=pulumi.Output.all(**store), is_secret=is_secret)

    return deploy(program)


def test_the_key_opens_the_bucket_of_the_backups_and_nothing_else(made):
    (token,) = made.of_type("cloudflare:index/accountToken:AccountToken").values()
    (policy,) = token.inputs["policies"]

    assert policy["effect"] == "allow"
    assert json.loads(policy["resources"]) == {
        f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_cold-backups": "*"
    }
    assert len(policy["permissionGroups"]) == 1


def test_the_store_is_told_what_r2_makes_of_the_token_which_stays_secret(made):
    store = made.result["store"]

    assert store["bucket"] == "cold-backups"
    assert store["key"] == "backups-key-id"
    assert store["key_secret"] == hashlib.sha256(b"value of backups-key").hexdigest()
    assert made.result["is_secret"] is True


def test_the_bucket_outlives_the_stack(made):
    (bucket,) = made.of_type("cloudflare:index/r2Bucket:R2Bucket").values()

    assert bucket.retained


@pytest.fixture(scope="module")
def official():
    """The provider's own package, which takes its time."""
    with warnings.catch_warnings(action="ignore"):
        import pulumi_cloudflare  # noqa: PLC0415
    return pulumi_cloudflare


@pytest.mark.parametrize("ours", Resource.__subclasses__(), ids=lambda ours: ours.__name__)
def test_each_resource_is_the_official_one_with_inputs_that_it_has(official, made, ours):
    theirs = getattr(official, ours.__name__)
    names = set(inspect.signature(theirs._internal_init).parameters)
    outputs = {name for name, _ in inspect.getmembers(theirs, lambda m: isinstance(m, property))}

    (token,) = (
        line.split("'")[1]
        for line in inspect.getsource(theirs._internal_init).splitlines()
        if line.strip().startswith("'cloudflare:index/")
    )
    assert token == ours.TYPE
    used = [resource.inputs for resource in made.of_type(ours.TYPE).values()]
    assert used
    for inputs in used:
        assert {snake(name) for name in inputs if name not in ours.OUTPUTS} <= names
    assert set(ours.OUTPUTS) <= outputs
    assert set(ours.SECRET) <= set(ours.OUTPUTS)


def snake(name: str) -> str:
    """Return an input's name in Python."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


class Account:
    """An account with a bucket and two keys; it raises on anything unexpected."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def get(self, path):
        return {
            f"/accounts/{ACCOUNT}/r2/buckets?name_contains=cold": {
                "result": {"buckets": [{"name": "cold"}, {"name": "cold-too"}]}
            },
            f"/accounts/{ACCOUNT}/r2/buckets?name_contains=col": {
                "result": {"buckets": [{"name": "cold"}]}
            },
            f"/accounts/{ACCOUNT}/tokens?per_page=50": {
                "result": [{"id": "1", "name": "cold"}, {"id": "2", "name": "of somebody else"}]
            },
        }[path]

    def call(self, method, path):
        self.called.append(f"{method} {path}")


def test_a_bucket_that_is_there_is_taken_over():
    ask = questions(Account())[R2Bucket.TYPE]

    assert ask({"accountId": ACCOUNT, "name": "cold"}).import_id == f"{ACCOUNT}/cold/default"
    assert ask({"accountId": ACCOUNT, "name": "col"}) is None


def test_a_key_whose_value_nobody_has_is_deleted_and_no_other():
    account = Account()
    ask = questions(account)[AccountToken.TYPE]
    found = ask({"accountId": ACCOUNT, "name": "cold"})

    found.make_ready()

    assert found.import_id is None
    assert account.called == [f"DELETE /accounts/{ACCOUNT}/tokens/1"]
    assert ask({"accountId": ACCOUNT, "name": "col"}) is None
