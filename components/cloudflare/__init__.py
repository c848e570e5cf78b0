"""What the stack has at Cloudflare."""

from .backup_bucket import BackupBucket, BackupBucketArgs

__all__ = ["BackupBucket", "BackupBucketArgs"]
