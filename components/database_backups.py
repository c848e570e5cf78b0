"""The backups of a database tier, as its machines are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True, slots=True)
class Backups:
    """Where backups go and what encrypts them."""

    store: Mapping[str, pulumi.Input[Any]] = field(repr=False)
    """What ``hosts.object_store:Store`` takes."""
    passphrase: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """What ``hosts.pair:Pair`` takes."""
    full_at: str
    incremental_every_hours: int
    retention_days: int
    dump_at: str
    dumps_for: pulumi.Input[str]
    """Whose key opens the logical dumps: its public half."""
    drill_every_days: int

    @property
    def told(self) -> dict[str, pulumi.Input[Any]]:
        """Return what ``hosts.database_node:Backups`` takes."""
        return {
            "store": dict(self.store),
            "passphrase": dict(self.passphrase),
            "full_at": self.full_at,
            "incremental_every_hours": self.incremental_every_hours,
            "retention_days": self.retention_days,
            "dump_at": self.dump_at,
            "dumps_for": self.dumps_for,
            "drill_every_days": self.drill_every_days,
            # All machines lost: an `up` brings all back; without a backup the cluster is empty.
            "found_from": "latest",
        }
