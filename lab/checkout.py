"""Which labs belong to this checkout, and where their files are; two checkouts never meet."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from toolchain.cache import Cache

from .machines import Place

ROOT = Path(__file__).resolve().parent.parent
STACKS = ("testing", "production")


def home() -> Path:
    """Return this checkout's own folder in the cache."""
    return Cache.of_this_user().root / "labs" / f"{ROOT.name}-{_mark()}"


def place_of(stack: str) -> Place:
    """Return the names on the computer of the lab of a stack."""
    return Place(f"{stack[0]}{_mark()}", home=home())


def _mark() -> str:
    # One checkout may have labs besides: its tests leave the one that people use alone.
    name = f"{ROOT}{os.environ.get('COLDSTORAGE_LAB', '')}"
    return hashlib.sha256(name.encode()).hexdigest()[:8]
