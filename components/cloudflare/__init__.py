"""What the stack has at Cloudflare."""

from .backup_bucket import BackupBucket, BackupBucketArgs, backup_bucket_of

__all__ = ["BackupBucket", "BackupBucketArgs", "backup_bucket_of"]
