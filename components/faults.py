"""What is wrong with a stack file, and the one error that tells all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

NAMESPACE = "coldstorage"
"""The part before the colon of each of this project's keys."""

_LONGEST_VALUE = 60

Path = tuple[str | int, ...]
"""Where something stands in a stack file: names of keys and positions in lists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what, and what was expected."""

    path: Path
    wrong: str
    expected: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{key(*self.path)}: {self.wrong}; expected {self.expected}"


class SettingsError(pulumi.RunError):
    """A stack file is not valid; the message names every fault in the order of the file."""

    def __init__(self, stack: str, faults: Sequence[Fault]) -> None:
        """Make the message of all ``faults``, in the order given."""
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = [f"{stack_file(stack)} is not valid ({count}):", *(f"  {f}" for f in faults)]
        super().__init__("\n".join(lines))


def stack_file(stack: str) -> str:
    """Return the name of a stack's file."""
    return f"Pulumi.{stack}.yaml"


def key(*path: str | int) -> str:
    """Return a path as people write it: ``coldstorage:network.dns[0]``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"{NAMESPACE}:{''.join(steps).removeprefix('.')}"


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line and never long."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = value if isinstance(value, str) and value.strip() else json.dumps(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def in_file_order(faults: Iterable[Fault], raw: Mapping[str, object]) -> list[Fault]:
    """Return the faults as someone meets them who reads the file from its top."""
    return sorted(faults, key=lambda fault: _position(fault.path, raw))


def _position(path: Path, value: object) -> tuple[int, ...]:
    """Return the index of each step among its siblings; what is missing comes after them."""
    position = []
    for step in path:
        siblings = list(value) if isinstance(value, Mapping) else []
        if isinstance(step, int):
            position.append(step)
            value = value[step] if isinstance(value, list) and step < len(value) else None
        elif step in siblings:
            position.append(siblings.index(step))
            value = value[step] if isinstance(value, Mapping) else None
        else:
            position.append(len(siblings))
            value = None
    return tuple(position)
