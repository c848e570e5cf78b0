"""A bucket that speaks S3, as machines are told of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A bucket that speaks S3."""

    endpoint: str
    """``host`` or ``host:port``."""
    bucket: str
    region: str
    key: str = field(repr=False)
    key_secret: str = field(repr=False)
    authority: str | None = None
    """Who signed its certificate, if that is not publicly known."""
    path_style: bool = True
