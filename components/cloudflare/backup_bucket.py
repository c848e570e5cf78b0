"""The bucket of the backups at R2, and the one key that opens it and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi

from ..settings import Settings
from .resources import AccountToken, R2Bucket, R2BucketLifecycle

WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6"
"""Cloudflare's id of the permission "Workers R2 Storage Bucket Item Write": read, write, list."""
REGION = "auto"
DAY_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupBucketArgs:
    """What a :class:`BackupBucket` needs to know."""

    account_id: str
    bucket: str
    endpoint: str
    """Where R2 answers S3 for this account: ``host`` or ``host:port``."""
    authority: str | None = None
    """Who signed the endpoint's certificate, if that is not publicly known."""


def _s3_secret(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class BackupBucket(pulumi.ComponentResource):
    """A bucket that outlives the stack, and a key of the stack's own."""

    store: dict[str, pulumi.Input[str | None]]
    """What ``hosts.object_store:Store`` takes."""

    def __init__(
        self, name: str, args: BackupBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:cloudflare:BackupBucket", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = R2Bucket(
            name,
            {"accountId": args.account_id, "name": args.bucket},
            # What it holds is needed most when the stack is gone.
            pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        R2BucketLifecycle(
            f"{name}-lifecycle",
            {
                "accountId": args.account_id,
                "bucketName": bucket.name,
                "rules": [
                    {
                        # Parts of an upload that was cut off are paid for and never seen.
                        "id": "forget uploads that were cut off",
                        "enabled": True,
                        "conditions": {"prefix": ""},
                        "abortMultipartUploadsTransition": {
                            "condition": {"type": "Age", "maxAge": 7 * DAY_SECONDS}
                        },
                    }
                ],
            },
            child,
        )
        token = AccountToken(
            f"{name}-key",
            {
                "accountId": args.account_id,
                "name": args.bucket,
                "policies": [
                    {
                        "effect": "allow",
                        "permissionGroups": [{"id": WRITE}],
                        "resources": bucket.name.apply(
                            lambda made: json.dumps(
                                {
                                    f"com.cloudflare.edge.r2.bucket.{args.account_id}"
                                    f"_default_{made}": "*"
                                }
                            )
                        ),
                    }
                ],
            },
            child,
        )
        self.store = {
            "endpoint": args.endpoint,
            "bucket": bucket.name,
            "region": REGION,
            "key": token.id,
            # As R2 derives it; the token itself never leaves the state.
            "key_secret": pulumi.Output.secret(token.value.apply(_s3_secret)),
            "authority": args.authority,
        }
        self.register_outputs({"bucket": bucket.name})


def backup_bucket_of(settings: Settings, opts: pulumi.ResourceOptions) -> BackupBucket:
    """Return the bucket of a stack's backups."""
    return BackupBucket("backups", _args(settings, settings.backups.bucket), opts)


def snapshot_bucket_of(
    settings: Settings, bucket: str, opts: pulumi.ResourceOptions
) -> BackupBucket:
    """Return the bucket of a stack's snapshots of etcd; its key opens no database's backups."""
    return BackupBucket("snapshots", _args(settings, bucket), opts)


def _args(settings: Settings, bucket: str) -> BackupBucketArgs:
    wanted = settings.cloudflare
    where = f"https://{wanted.account_id}.r2.cloudflarestorage.com"
    return BackupBucketArgs(
        account_id=wanted.account_id,
        bucket=bucket,
        endpoint=urlsplit(str(wanted.r2_endpoint or where)).netloc,
        authority=wanted.r2_authority,
    )
