"""The lab's R2: what Cloudflare's records say of buckets and tokens holds at a real S3 server."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, SSLError

from lab.buckets import Buckets, client
from lab.clouds import Records, Refused, cloudflare
from lab.clouds.cloudflare import ACCOUNT_ID
from lab.clouds.r2 import s3_key, s3_keys
from lab.object_store import ObjectStore, serving
from lab.serve import Authority
from tests.pulumi_pyinfra.sshd import free_port
from toolchain.cache import Cache

pytestmark = pytest.mark.engine
LOOPBACK = "127.0.0.1"


class World:
    """A Cloudflare and the store behind it."""

    def __init__(self, folder: Path, endpoint: str, authority: Authority) -> None:
        self.endpoint, self.authority = endpoint, authority.certificate
        buckets = Buckets(ObjectStore(folder=folder / "store"), endpoint, self.authority)
        records = Records(folder / "cloudflare.json")
        self.cloud = cloudflare.cloudflare(records, domain="example.org", effects=buckets)
        buckets.follow(lambda: s3_keys(records))

    def bucket(self, name: str):
        return self.cloud.create("R2Bucket", {"accountId": ACCOUNT_ID, "name": name})

    def token(self, *buckets: str):
        resources = {
            f"com.cloudflare.edge.r2.bucket.{ACCOUNT_ID}_default_{name}": "*" for name in buckets
        }
        policy = {
            "effect": "allow",
            "permissionGroups": [{"id": "0" * 32}],
            "resources": json.dumps(resources),
        }
        return self.cloud.create("ApiToken", {"name": "token", "policies": [policy]})

    def opened_by(self, token):
        key = s3_key(token)
        return client(self.endpoint, key.access_key, key.secret_key, self.authority)


@contextmanager
def a_world(folder: Path):
    authority = Authority(folder / "authority")
    store = ObjectStore(folder=folder / "store")
    with serving(store, authority, LOOPBACK, free_port()) as endpoint:
        yield World(folder, endpoint, authority)


@pytest.fixture
def folder(tmp_path):
    assert (Cache.of_this_user().bin / "versitygw").exists(), "make tools"
    return tmp_path


@contextmanager
def refused(code: str = "AccessDenied"):
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def test_a_token_opens_its_bucket_and_no_other(folder):
    with a_world(folder) as world:
        world.bucket("backups")
        world.bucket("others")
        s3 = world.opened_by(world.token("backups"))

        s3.put_object(Bucket="backups", Key="a/b", Body=b"kept")

        assert s3.get_object(Bucket="backups", Key="a/b")["Body"].read() == b"kept"
        # The server ends the connection where it will not take a body.
        with pytest.raises((ClientError, SSLError)):
            s3.put_object(Bucket="others", Key="a", Body=b"")
        assert not list((folder / "store" / "data" / "others").glob("a"))
        with refused():
            s3.list_objects_v2(Bucket="others")
        with refused():
            s3.create_bucket(Bucket="mine")


def test_a_token_that_is_deleted_opens_nothing_any_more(folder):
    with a_world(folder) as world:
        world.bucket("backups")
        first, second = world.token("backups"), world.token("backups")
        world.cloud.delete("ApiToken", first.id)

        with refused("InvalidAccessKeyId"):
            world.opened_by(first).list_objects_v2(Bucket="backups")
        world.opened_by(second).list_objects_v2(Bucket="backups")


def test_a_bucket_that_holds_something_is_not_deleted(folder):
    with a_world(folder) as world:
        bucket = world.bucket("backups")
        s3 = world.opened_by(world.token("backups"))
        s3.put_object(Bucket="backups", Key="a", Body=b"")

        with pytest.raises(Refused, match="not empty"):
            world.cloud.delete("R2Bucket", bucket.id)
        s3.delete_object(Bucket="backups", Key="a")
        world.cloud.delete("R2Bucket", bucket.id)

        assert ObjectStore(folder=folder / "store").buckets == []


def test_a_restart_finds_buckets_objects_and_tokens(folder):
    with a_world(folder) as world:
        world.bucket("backups")
        token = world.token("backups")
        world.opened_by(token).put_object(Bucket="backups", Key="a", Body=b"kept")

    with a_world(folder) as world:
        s3 = world.opened_by(token)

        assert s3.get_object(Bucket="backups", Key="a")["Body"].read() == b"kept"
