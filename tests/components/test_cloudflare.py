"""The bucket of the backups, and all resources at Cloudflare held to the provider's package."""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings

import pulumi
import pytest

from components.cloudflare import BackupBucket, BackupBucketArgs
from components.cloudflare.resources import Resource, provider
from tests.components.test_way_in import way_in

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
def test_each_resource_is_the_official_one_with_inputs_that_it_has(official, made, deploy, ours):
    theirs = getattr(official, ours.__name__)
    names = set(inspect.signature(theirs._internal_init).parameters)
    outputs = {name for name, _ in inspect.getmembers(theirs, lambda m: isinstance(m, property))}

    (token,) = (
        line.split("'")[1]
        for line in inspect.getsource(theirs._internal_init).splitlines()
        if line.strip().startswith("'cloudflare:index/")
    )
    assert token == ours.TYPE
    everything = [*made.resources, *deploy(way_in).resources]
    used = [resource.inputs for resource in everything if resource.type == ours.TYPE]
    assert used
    for inputs in used:
        assert {snake(name) for name in inputs if name not in ours.OUTPUTS} <= names
    assert set(ours.OUTPUTS) <= outputs
    assert set(ours.SECRET) <= set(ours.OUTPUTS)


def snake(name: str) -> str:
    """Return an input's name in Python."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
