"""A cloud: kinds of records, what makes each unique, what belongs to what, what becomes real."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .records import Record, Records, Refused, Values

SCHEMAS = Path(__file__).resolve().parents[1] / "standins" / "schemas"
NOT_FOUND = 404

Computed = Callable[["Cloud", str, Values, Record | None], Values]
"""Returns what the cloud adds: (cloud, id, inputs, the record before or nothing)."""


class Effects(Protocol):
    """What becomes of records outside of the file; each may take its time."""

    def made(self, record: Record) -> None:
        """Bring about what a new record stands for."""

    def changed(self, before: Record, record: Record) -> None:
        """Follow a change of a record."""

    def unmade(self, record: Record) -> None:
        """Do away with what a record stood for; it may be gone already."""


class NoEffects:
    """Records, and nothing besides."""

    def made(self, record: Record) -> None:
        """Do nothing."""

    def changed(self, before: Record, record: Record) -> None:
        """Do nothing."""

    def unmade(self, record: Record) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unique:
    """What no two records of a kind may share, and how the cloud says so."""

    keys: tuple[str, ...]
    status: int
    code: str
    message: str
    """May name inputs, as ``{name}``."""


def named(what: str) -> tuple[Unique, ...]:
    """Return that a name is taken once, as Hetzner says it."""
    said = f"{what} name is already used: {{name}}"
    return (Unique(keys=("name",), status=409, code="uniqueness_error", message=said),)


def _nothing(_cloud: Cloud, _id: str, _inputs: Values, _before: Record | None) -> Values:
    return {}


def numbered(cloud: Cloud, _inputs: Values) -> str:
    """Return the next number as an id."""
    return str(cloud.records.number())


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One type of resource, beyond what its schema says."""

    identity: Callable[[Cloud, Values], str] = numbered
    computed: Computed = _nothing
    check: Callable[[Cloud, Values, Record | None], None] = lambda _cloud, _inputs, _before: None
    """Refuses inputs that the real API would, and the provider does not see."""
    unique: tuple[Unique, ...] = ()
    parents: Mapping[str, str] = field(default_factory=dict)
    """Kind that an input refers to; without it there is no record, and it goes with it."""
    stays: bool = False
    """The real service has no way to delete it, and making it means setting it."""


class Cloud:
    """A cloud by its name; all that it knows of a resource comes from a schema and its `Kind`."""

    def __init__(
        self,
        name: str,
        kinds: Mapping[str, Kind],
        records: Records,
        *,
        effects: Effects | None = None,
        lookups: Mapping[str, Callable[[Cloud, Values], Values]] | None = None,
    ) -> None:
        self.name, self.kinds, self.records = name, kinds, records
        self.effects: Effects = effects or NoEffects()
        self._lookups = lookups or {}
        self._schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))

    def create(self, kind: str, inputs: Values) -> Record:
        """Make a record and what it stands for; all or nothing."""
        rules = self._kind(kind)
        with self.records.lock:
            self._admit(kind, inputs)
            id_ = rules.identity(self, inputs)
            before = self.records.get(kind, id_)
            if before and not rules.stays:
                raise Refused(409, "uniqueness_error", f"{kind} {id_} exists already")
            record = self._record(kind, id_, inputs, before)
            self.records.put(record)
        try:
            self.effects.made(record)
        except Exception:
            self.records.remove(record)
            raise
        return record

    def read(self, kind: str, id_: str) -> Record:
        """Return a record, or refuse."""
        self._kind(kind)
        # An import names the account before it, and R2's jurisdiction behind it.
        for part in (id_, *id_.split("/")[1:]):
            if record := self.records.get(kind, part):
                break
        if record is None:
            raise Refused(NOT_FOUND, "not_found", f"there is no {kind} {id_}")
        return record

    def update(self, kind: str, id_: str, inputs: Values) -> Record:
        """Change a record and what it stands for."""
        with self.records.lock:
            before = self.read(kind, id_)
            self._admit(kind, inputs, before)
            record = self._record(kind, before.id, inputs, before)
            self.records.put(record)
        try:
            self.effects.changed(before, record)
        except Exception:
            self.records.put(before)
            raise
        return record

    def delete(self, kind: str, id_: str) -> None:
        """Delete a record, what belongs to it, and what they stand for."""
        record = self.read(kind, id_)
        if self.kinds[kind].stays:
            return
        if record.inputs.get("deleteProtection"):
            raise Refused(423, "protected", f"{kind} {id_} is protected against deletion")
        for child in list(self._children(record)):
            self._remove(child)
        self._remove(record)

    def invoke(self, name: str, arguments: Values) -> Values:
        """Answer a look-up."""
        if name not in self._lookups:
            raise Refused(NOT_FOUND, "not_found", f"the lab's {self.name} has no look-up {name}")
        return self._lookups[name](self, arguments)

    def set_by_hand(self, kind: str, id_: str, **outputs: object) -> None:
        """Change a record as somebody would who does not ask Pulumi; drift, that is."""
        before = self.read(kind, id_)
        merged = before.outputs | outputs
        self.records.put(Record(kind=kind, id=before.id, inputs=before.inputs, outputs=merged))

    def _kind(self, kind: str) -> Kind:
        if kind not in self.kinds:
            raise Refused(NOT_FOUND, "not_found", f"the lab's {self.name} keeps no {kind}")
        return self.kinds[kind]

    def _admit(self, kind: str, inputs: Values, before: Record | None = None) -> None:
        rules = self.kinds[kind]
        for name, parent in rules.parents.items():
            if name in inputs and not self.records.get(parent, str(inputs[name])):
                raise Refused(NOT_FOUND, "not_found", f"{name}: no {parent} {inputs[name]}")
        for rule in rules.unique:
            values = {key: inputs.get(key) for key in rule.keys}
            other = self.records.find(kind, values) if None not in values.values() else None
            if other and (before is None or other.id != before.id):
                raise Refused(rule.status, rule.code, rule.message.format_map(inputs))
        rules.check(self, inputs, before)

    def _record(self, kind: str, id_: str, inputs: Values, before: Record | None) -> Record:
        declared = self._schema["resources"][kind]
        kept = {
            name: value
            for name, value in (before.outputs if before else {}).items()
            if name not in declared["inputs"] or declared["inputs"][name].get("optionalComputed")
        }
        computed = self.kinds[kind].computed(self, id_, inputs, before)
        outputs = _zeros(declared["outputs"]) | kept | inputs | computed
        return Record(kind=kind, id=id_, inputs=inputs, outputs=outputs)

    def _children(self, record: Record) -> Sequence[Record]:
        return [
            child
            for kind, rules in self.kinds.items()
            for name, parent in rules.parents.items()
            if parent == record.kind
            for child in self.records.of(kind)
            if str(child.inputs.get(name)) == record.id
        ]

    def _remove(self, record: Record) -> None:
        self.effects.unmade(record)
        self.records.remove(record)


def _zeros(declared: Mapping[str, Any]) -> Values:
    """Return something of the right type for every output that a resource always has."""
    empty = {"string": "", "boolean": False, "number": 0, "integer": 0}
    return {
        name: [] if spec["type"].startswith("array") else empty.get(spec["type"], {})
        for name, spec in declared.items()
        if spec.get("required")
    }
