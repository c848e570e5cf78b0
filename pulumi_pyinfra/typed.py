"""Plain data becomes typed dataclasses, with every fault named at once.

What comes over a pipe or out of Pulumi is JSON: whole numbers may be floats, addresses are text,
and a value may not be computed yet.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

from .kinds import MAPPINGS, SCALARS, SEQUENCES, WRITTEN, hint, kind_of, scalar

UNKNOWN: Final = "<not known yet>"
"""Stands for a value that is not computed yet."""

Form: TypeAlias = Any
"""A type as an annotation says it, which ``typing`` itself has no type for."""
_NOTHING: Final = object()
_UNIONS: Final = (typing.Union, types.UnionType)


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """What is wrong with one value, and where."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


@dataclass(slots=True)
class Reading:
    """What came of reading plain data as a type."""

    value: object = _NOTHING
    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether there is a value: nothing at fault, nothing still to be computed."""
        return not self.faults and not self.unknown


def read(wanted: Form, value: object, path: str = "") -> Reading:
    """Read a plain value as the wanted type."""
    reading = Reading()
    reading.value = _Reader(reading).read(wanted, value, path)
    return reading


def has_unknowns(value: object) -> bool:
    """Return whether anything in plain data is not computed yet."""
    return any(True for _ in _unknowns(value, ""))


class _Reader:
    """Walks a value along a type; what it can't read it notes, and answers with nothing."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._hidden = 0

    def read(self, wanted: Form, value: object, path: str) -> object:
        kind, args = _taken_apart(wanted)
        if kind is typing.Annotated:
            return self.read(args[0], value, path)
        if kind in (Any, object):
            # Where anything goes, what is not known yet goes too.
            self._reading.unknown.extend(_unknowns(value, path))
            return value
        if value == UNKNOWN:
            self._reading.unknown.append(path)
            return _NOTHING
        if kind in _UNIONS:
            return self._one_of(args, value, path)
        return self._composed(kind, args, value, path)

    def _composed(self, kind: Form, args: tuple[Form, ...], value: object, path: str) -> object:
        if kind is tuple and args[1:] != (...,):
            return self._tuple(args, value, path)
        if kind is tuple or kind in SEQUENCES:
            return self._items(kind, args, value, path)
        if kind in MAPPINGS:
            return self._mapping(args, value, path)
        if dataclasses.is_dataclass(kind):
            return self._dataclass(kind, value, path)
        return self._single(kind, args, value, path)

    def _single(self, kind: Form, args: tuple[Form, ...], value: object, path: str) -> object:
        try:
            if kind is typing.Literal:
                return self._among(args, value)
            if isinstance(kind, type) and issubclass(kind, Enum):
                return kind(self._among([member.value for member in kind], value))
            if kind in WRITTEN:
                return value if isinstance(value, kind) else self._written(kind, value)
            if kind in SCALARS:
                return scalar(kind, value)
        except ValueError as error:
            return self._fault(path, str(error))
        return self._fault(path, f"a contract can't hold a value of type {kind}")

    def _written(self, kind: Form, value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"expected {WRITTEN[kind]}, got {kind_of(value)}")  # noqa: TRY004 - all are caught as one
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"expected {WRITTEN[kind]}{self._shown(value)}") from None

    def _among(self, allowed: Sequence[object], value: object) -> object:
        for one in allowed:
            if one == value and isinstance(one, bool) == isinstance(value, bool):
                return one
        close = "" if self._hidden else hint(value, [x for x in allowed if isinstance(x, str)])
        words = ", ".join(map(str, allowed))
        raise ValueError(f"expected one of {words}{self._shown(value)}{close}")

    def _one_of(self, forms: tuple[Form, ...], value: object, path: str) -> object:
        if value is None and types.NoneType in forms:
            return None
        wanted = [form for form in forms if form is not types.NoneType]
        if len(wanted) == 1:
            return self.read(wanted[0], value, path)
        tried = [read(form, value, path) for form in wanted]
        fitting = next((reading for reading in tried if not reading.faults), None)
        if fitting is None:
            reasons = dict.fromkeys(reading.faults[0].reason for reading in tried)
            return self._fault(path, "; or ".join(reasons))
        self._reading.unknown.extend(fitting.unknown)
        return fitting.value

    def _tuple(self, forms: tuple[Form, ...], value: object, path: str) -> object:
        if not isinstance(value, list | tuple) or (forms and len(value) != len(forms)):
            return self._fault(path, f"expected a list of {len(forms)}, got {kind_of(value)}")
        pairs = zip(forms or (object,) * len(value), value, strict=True)
        parts = [self.read(form, item, f"{path}[{i}]") for i, (form, item) in enumerate(pairs)]
        return tuple(parts) if _whole(parts) else _NOTHING

    def _items(self, kind: Form, forms: tuple[Form, ...], value: object, path: str) -> object:
        if not isinstance(value, list | tuple | set | frozenset):
            return self._fault(path, f"expected a list, got {kind_of(value)}")
        form = forms[0] if forms else object
        parts = [self.read(form, item, f"{path}[{i}]") for i, item in enumerate(value)]
        return SEQUENCES.get(kind, tuple)(parts) if _whole(parts) else _NOTHING

    def _mapping(self, forms: tuple[Form, ...], value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            return self._fault(path, f"expected keys and values, got {kind_of(value)}")
        of_key, of_value = forms or (object, object)
        keys = [self.read(of_key, key, f"{path}, key {key}") for key in value]
        parts = [self.read(of_value, item, f"{path}[{key}]") for key, item in value.items()]
        return dict(zip(keys, parts, strict=True)) if _whole(keys + parts) else _NOTHING

    def _dataclass(self, kind: Form, value: object, path: str) -> object:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            return self._fault(path, f"expected keys and values, got {kind_of(value)}")
        fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
        unknown_keys = [key for key in value if key not in fields]
        for key in unknown_keys:
            self._fault(_join(path, key), f"unknown key{hint(key, fields)}")
        forms = typing.get_type_hints(kind, include_extras=True)
        arguments = {
            name: self._field(f, forms[name], value, _join(path, name))
            for name, f in fields.items()
            if name in value or not _has_default(f)
        }
        if unknown_keys or not _whole(arguments.values()):
            return _NOTHING
        return self._construct(kind, arguments, path)

    def _field(
        self, f: dataclasses.Field[Any], form: Form, value: Mapping[str, object], path: str
    ) -> object:
        if f.name not in value:
            return self._fault(path, "missing")
        self._hidden += not f.repr
        try:
            return self.read(form, value[f.name], path)
        finally:
            self._hidden -= not f.repr

    def _construct(self, kind: Form, arguments: Mapping[str, object], path: str) -> object:
        """Make the dataclass; each line of what it raises is a fault, of the key that it names."""
        try:
            return kind(**arguments)
        except (ValueError, TypeError) as error:
            said = str(error) or type(error).__name__
        for f in dataclasses.fields(kind):
            if not f.repr and (hidden := str(arguments.get(f.name, ""))):
                said = said.replace(hidden, "[secret]")
        for line in said.splitlines():
            where, separator, reason = line.partition(": ")
            if separator and where.split(".")[0].split("[")[0] in arguments:
                self._fault(_join(path, where), reason)
            else:
                self._fault(path, line)
        return _NOTHING

    def _fault(self, path: str, reason: str) -> object:
        self._reading.faults.append(Fault(path, reason))
        return _NOTHING

    def _shown(self, value: object) -> str:
        """Return how a wrong value is shown: not at all where its field hides it."""
        return "" if self._hidden else f", got {value}"


def _taken_apart(wanted: Form) -> tuple[Form, tuple[Form, ...]]:
    wanted = getattr(wanted, "__supertype__", wanted)
    return typing.get_origin(wanted) or wanted, typing.get_args(wanted)


def _whole(parts: Iterable[object]) -> bool:
    return not any(part is _NOTHING for part in parts)


def _unknowns(value: object, path: str) -> Iterator[str]:
    if value == UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unknowns(item, f"{path}[{key}]")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _unknowns(item, f"{path}[{i}]")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _has_default(f: dataclasses.Field[Any]) -> bool:
    given = (f.default, f.default_factory)
    return any(one is not dataclasses.MISSING for one in given)
