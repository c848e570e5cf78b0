"""The object store: each request ends by itself, and a "slow down" is heeded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

MIB = 1 << 20
PART = 8 * MIB
AWAY = (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError)
REFUSED = (ClientError, BotoCoreError)


class Store:
    """A bucket."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.bucket: str = told["bucket"]
        self.endpoint: str = told["endpoint"]
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=f"https://{told['endpoint']}",
            region_name=told["region"],
            aws_access_key_id=told["key"],
            aws_secret_access_key=told["key_secret"],
            verify=told["authority"] or True,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                # The mode that takes a 429 as what it says, and waits longer each time.
                retries={"mode": "legacy", "total_max_attempts": 5},
                s3={"addressing_style": "path" if told["path_style"] else "virtual"},
                # R2 does not know the checksums that newer clients add by themselves.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, body: bytes) -> None:
        """Write an object in one request."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """Return an object."""
        return bytes(self.open(key).read())

    def open(self, key: str) -> IO[bytes]:
        """Return an object as a stream."""
        body: IO[bytes] = self.client.get_object(Bucket=self.bucket, Key=key)["Body"]
        return body

    def keys(self, prefix: str, after: str = "", page: int = 1000) -> Iterator[str]:
        """Yield the names of objects, in order, page by page."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=after, MaxKeys=page
        )
        return (found["Key"] for told in pages for found in told.get("Contents", ()))

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def upload(self, key: str, stream: IO[bytes]) -> None:
        """Write what a stream yields, in parts of one size as R2 wants them."""
        parts = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2
        )
        self.client.upload_fileobj(stream, self.bucket, key, Config=parts)


def reason(error: Exception) -> str:
    """Return what the store said, or why nothing was said, in a line."""
    if isinstance(error, ClientError):
        told = error.response
        status = told.get("ResponseMetadata", {}).get("HTTPStatusCode")
        said = told.get("Error", {})
        return f"{status} {said.get('Code', '')}: {said.get('Message', '')}".strip(": ")
    if isinstance(error, SSLError):
        return f"its certificate is refused: {error}"
    return str(error)
