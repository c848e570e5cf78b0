"""What a cloud knows, in a file that is whole at any time; a restarted cloud goes on with it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FIRST_NUMBER = 1001

Values = dict[str, Any]
"""Inputs or outputs, as the provider names them."""


class Refused(Exception):  # noqa: N818 - it is what the cloud says, not a fault of ours
    """The cloud will not do it; the message is what the provider shows."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One resource; an output whose name starts with ``_`` is the cloud's own secret."""

    kind: str
    id: str
    inputs: Values
    outputs: Values = field(repr=False)

    @property
    def answer(self) -> Values:
        """Return what a provider is told of it."""
        told = {name: value for name, value in self.outputs.items() if not name.startswith("_")}
        return {"id": self.id, "outputs": told}


class Records:
    """All records of a cloud, by kind and id."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lock = threading.RLock()
        document = json.loads(file.read_text()) if file.exists() else {}
        self._next: int = document.get("next", FIRST_NUMBER)
        self._records = {
            (kind, id_): Record(kind=kind, id=id_, **record)
            for kind, of_kind in document.get("records", {}).items()
            for id_, record in of_kind.items()
        }

    def number(self) -> int:
        """Return a number that was never given before."""
        with self.lock:
            self._next += 1
            return self._next - 1

    def of(self, kind: str) -> Iterator[Record]:
        """Yield the records of a kind, the oldest first."""
        with self.lock:
            yield from [record for record in self._records.values() if record.kind == kind]

    def get(self, kind: str, id_: str) -> Record | None:
        """Return a record, also when it is asked for by the longer id of an import."""
        with self.lock:
            parts = [id_, *id_.split("/")[::-1]]
            return next((r for p in parts if (r := self._records.get((kind, p)))), None)

    def find(self, kind: str, values: Mapping[str, Any]) -> Record | None:
        """Return a record whose outputs hold ``values``."""
        return next((r for r in self.of(kind) if values.items() <= _flat(r.outputs).items()), None)

    def put(self, record: Record) -> None:
        """Keep a record, instead of the one that was there."""
        with self.lock:
            self._records[record.kind, record.id] = record
            self._save()

    def remove(self, record: Record) -> None:
        """Forget a record."""
        with self.lock:
            self._records.pop((record.kind, record.id), None)
            self._save()

    def _save(self) -> None:
        kinds: dict[str, dict[str, Values]] = {}
        for record in self._records.values():
            kept = asdict(record)
            kinds.setdefault(kept.pop("kind"), {})[kept.pop("id")] = kept
        new = self._file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"next": self._next, "records": kinds}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)


def _flat(outputs: Values) -> dict[str, Any]:
    return {name: value for name, value in outputs.items() if not isinstance(value, (dict, list))}
