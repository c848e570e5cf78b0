"""R2 buckets, and the API tokens that are S3 credentials as well.

R2's S3 interface takes a token's id as access key and the SHA-256 of its value as secret. Which
buckets it opens is written in its policies, as text that holds JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .cloud import Cloud, Kind, Unique
from .drawing import drawn_hex, now
from .records import Record, Records, Refused, Values

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_RESOURCE = re.compile(r"com\.cloudflare\.edge\.r2\.bucket\.(\w+?)_(\w+?)_([a-z0-9-]+)")
TOKENS = ("ApiToken", "AccountToken")


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Key:
    """What opens buckets over S3."""

    access_key: str
    secret_key: str = field(repr=False)
    buckets: tuple[str, ...]


def s3_key(token: Record) -> S3Key | None:
    """Return the S3 credential that a token is, or nothing if it opens no bucket."""
    if token.outputs["status"] != "active":
        return None
    buckets = tuple(sorted(set(_buckets(token.inputs))))
    secret = hashlib.sha256(token.outputs["value"].encode()).hexdigest()
    return S3Key(access_key=token.id, secret_key=secret, buckets=buckets) if buckets else None


def s3_keys(records: Records) -> Iterator[S3Key]:
    """Yield every S3 credential that there is."""
    for kind in TOKENS:
        yield from (key for token in records.of(kind) if (key := s3_key(token)))


def _buckets(token: Values) -> Iterator[str]:
    for policy in token["policies"]:
        if policy["effect"] == "allow":
            for resource in json.loads(policy["resources"]):
                if named := _RESOURCE.fullmatch(resource):
                    yield named[3]


def _check_bucket(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    if not _NAME.fullmatch(inputs["name"]):
        raise Refused(400, "10005", f"The specified bucket name is not valid: {inputs['name']}")


def _check_token(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    for policy in inputs["policies"]:
        try:
            understood = isinstance(json.loads(policy["resources"]), dict)
        except json.JSONDecodeError:
            understood = False
        if not understood:
            raise Refused(400, "1001", f"policies.resources: no JSON object: {policy['resources']}")


def _token(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    return {
        "issuedOn": before.outputs["issuedOn"] if before else now(),
        "modifiedOn": now(),
        "status": inputs.get("status", "active"),
        "value": before.outputs["value"] if before else secrets.token_urlsafe(30),
    }


def _bucket(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    return {
        "creationDate": before.outputs["creationDate"] if before else now(),
        "jurisdiction": inputs.get("jurisdiction", "default"),
        "location": inputs.get("location", "weur"),
        "storageClass": inputs.get("storageClass", "Standard"),
    }


def _of_bucket() -> Kind:
    return Kind(
        identity=lambda _cloud, inputs: str(inputs["bucketName"]),
        computed=lambda _cloud, _id, inputs, _before: {
            "jurisdiction": inputs.get("jurisdiction", "default")
        },
        parents={"bucketName": "R2Bucket"},
        stays=True,
    )


def _of_token() -> Kind:
    return Kind(identity=lambda _cloud, _inputs: drawn_hex(16), computed=_token, check=_check_token)


STORAGE: Mapping[str, Kind] = {
    "R2Bucket": Kind(
        identity=lambda _cloud, inputs: str(inputs["name"]),
        computed=_bucket,
        check=_check_bucket,
        unique=(
            Unique(
                keys=("name",),
                status=409,
                code="10004",
                message="The bucket you tried to create already exists, and you own it: {name}",
            ),
        ),
    ),
    "R2BucketLifecycle": _of_bucket(),
    "R2BucketLock": _of_bucket(),
    "ApiToken": _of_token(),
    "AccountToken": _of_token(),
}
