"""Ids, secrets and times in the forms that APIs give them."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime


def drawn_hex(size: int) -> str:
    """Return so many random bytes as hexadecimal digits."""
    return secrets.token_hex(size)


def drawn_uuid(*_: object) -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


def now() -> str:
    """Return the time as APIs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
