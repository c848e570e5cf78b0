"""Buckets and S3 credentials of the lab's Cloudflare, made real in its object store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .clouds.r2 import TOKENS, S3Key
from .clouds.records import Record, Refused
from .object_store import REGION, ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "R2Bucket"


def client(endpoint: str, access: str, secret: str, authority: Path) -> S3Client:
    """Return a client of the object store, which verifies whom it talks to."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        verify=str(authority),
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


class Buckets:
    """What becomes of a Cloudflare's records in an object store."""

    def __init__(self, store: ObjectStore, endpoint: str, authority: Path) -> None:
        self._store = store
        root = store.root
        self._s3 = client(endpoint, root["access"], root["secret"], authority)
        self._keys: Callable[[], Iterable[S3Key]] = tuple

    def follow(self, keys: Callable[[], Iterable[S3Key]]) -> None:
        """Let in who has a key now, and whoever gets one; what was missed meanwhile is made up."""
        self._keys = keys
        self._open()

    def made(self, record: Record) -> None:
        """Make a bucket, or let a token's holder in."""
        if record.kind == BUCKET:
            self._s3.create_bucket(Bucket=record.inputs["name"])
        if record.kind in (BUCKET, *TOKENS):
            self._open()

    def changed(self, before: Record, record: Record) -> None:
        """Let a token's holder in where it is said now, and nowhere else."""
        if before.kind in TOKENS and before.inputs != record.inputs:
            self._open()

    def unmade(self, record: Record) -> None:
        """Remove an empty bucket, or shut a token's holder out."""
        if record.kind == BUCKET:
            try:
                self._s3.delete_bucket(Bucket=record.inputs["name"])
            except ClientError as error:
                raise Refused(
                    409, "10008", "The bucket you tried to delete is not empty"
                ) from error
        elif record.kind in TOKENS:
            self._open(without=record.id)

    def _open(self, without: str = "") -> None:
        keys = [key for key in self._keys() if key.access_key != without]
        self._store.let_in({key.access_key: key.secret_key for key in keys})
        for bucket in self._store.buckets:
            holders = sorted(key.access_key for key in keys if bucket in key.buckets)
            if holders:
                self._s3.put_bucket_policy(Bucket=bucket, Policy=_policy(bucket, holders))
            else:
                self._s3.delete_bucket_policy(Bucket=bucket)


def _policy(bucket: str, holders: list[str]) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": holders},
        "Action": "s3:*",
        "Resource": resources,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
