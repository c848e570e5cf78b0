"""What the machine was told of its backups; a file that only root and PostgreSQL's user read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PLACE = Path("/etc/pgbackrest/care.json")
STATE = Path("/var/lib/database-backups")


def read(place: Path = PLACE) -> dict[str, Any]:
    """Return the settings as they were written."""
    told: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return told
