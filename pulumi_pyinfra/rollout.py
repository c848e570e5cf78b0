"""Who is changed when: pure decisions, made before anybody is connected to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
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


def batches(
    hosts: Sequence[str], *, serial: int, canary: bool, last: Sequence[str]
) -> list[tuple[str, ...]]:
    """Cut the hosts into batches: a canary alone first, ``last`` at the end, ``serial`` at once."""
    late = [host for host in hosts if host in set(last)]
    early = [host for host in hosts if host not in set(last)]
    head = [early[:1]] if canary and early and serial > 1 else []
    rest = early[1:] if head else early
    cut = [part[i : i + serial] for part in (rest, late) for i in range(0, len(part), serial)]
    return [tuple(batch) for batch in [*head, *cut]]
