"""Who is changed when: pure decisions, made before anybody is connected to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What one update has to do."""

    change: tuple[str, ...]
    """Hosts that are not yet what is wanted, in the order of the rollout."""
    leave: tuple[str, ...]
    """Hosts that are in the state and no longer wanted."""


def digest(source_hash: str, *parts: object) -> str:
    """Return the digest of all that decides what a host becomes."""
    text = json.dumps([source_hash, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def work(wanted: Mapping[str, str], applied: Mapping[str, str], drifted: Iterable[str]) -> Work:
    """Compare digests by host: the wanted with those that the state says were reached."""
    again = set(drifted)
    return Work(
        change=tuple(h for h, d in wanted.items() if applied.get(h) != d or h in again),
        leave=tuple(host for host in sorted(applied) if host not in wanted),
    )


def next_batch(
    left: Sequence[str], *, serial: int, canary: bool, last: Collection[str]
) -> tuple[str, ...]:
    """Return who is changed now: a canary alone, else ``serial`` at once; ``last`` at the end."""
    early = [host for host in left if host not in last]
    if not early:
        return tuple(left[:serial])
    return tuple(early[: 1 if canary else serial])
