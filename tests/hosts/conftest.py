"""Operations are replaced by recorders: a deploy is read without a host, and nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from pyinfra.operations import apt, files, server, systemd

OPERATIONS: dict[ModuleType, tuple[str, ...]] = {
    apt: ("packages", "update"),
    files: ("put", "directory", "file", "line"),
    server: ("shell", "hostname"),
    systemd: ("service", "daemon_reload"),
}


@dataclass
class Recorded:
    """One operation that a deploy asked for."""

    kind: str
    told: dict[str, Any]
    operations: Operations

    @property
    def name(self) -> str:
        return str(self.told["name"])

    def did_change(self) -> bool:
        return self.name in self.operations.changed

    @property
    def runs(self) -> bool:
        """Tell whether its condition holds, with those changed that a test says."""
        return bool(self.told.get("_if", lambda: True)())

    @property
    def text(self) -> str:
        source = self.told["src"]
        assert isinstance(source, StringIO)
        return source.getvalue()


@dataclass
class Operations:
    """All that a deploy asked for, in order, and which of it a test says has changed something."""

    all: list[Recorded] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Recorded:
        found = [operation for operation in self.all if operation.name == name]
        assert len(found) == 1, f"{name}: {[o.name for o in self.all]}"
        return found[0]

    def written(self, path: str) -> Recorded:
        return next(o for o in self.all if o.kind == "files.put" and o.told["dest"] == path)

    def read(self, deploy: Callable[[Any], None], wanted: object) -> Operations:
        """Read a deploy, the undecorated function."""
        deploy._inner(wanted)
        return self


@pytest.fixture
def operations(monkeypatch) -> Operations:
    recorded = Operations()

    def recorder(kind: str) -> Callable[..., Recorded]:
        def record(**told: Any) -> Recorded:
            operation = Recorded(kind, told, recorded)
            recorded.all.append(operation)
            return operation

        return record

    for module, names in OPERATIONS.items():
        for name in dir(module):
            if hasattr(getattr(module, name), "_inner"):
                kind = f"{module.__name__.rpartition('.')[2]}.{name}"
                monkeypatch.setattr(module, name, recorder(kind) if name in names else None)
    return recorded
