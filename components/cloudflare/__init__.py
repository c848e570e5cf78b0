"""What the stack has at Cloudflare."""

from .access import People, ProtectedPages, ProtectedPagesArgs
from .backup_bucket import (
    BackupBucket,
    BackupBucketArgs,
    backup_bucket_of,
    snapshot_bucket_of,
)
from .dns_token import dns_token_of
from .names import PublicNames, PublicNamesArgs
from .tunnel import Tunnel, TunnelArgs
from .way_in import way_in_of

__all__ = [
    "BackupBucket",
    "BackupBucketArgs",
    "People",
    "ProtectedPages",
    "ProtectedPagesArgs",
    "PublicNames",
    "PublicNamesArgs",
    "Tunnel",
    "TunnelArgs",
    "backup_bucket_of",
    "dns_token_of",
    "snapshot_bucket_of",
    "way_in_of",
]
