"""The cases that there are, by the names of their files, whether or not they were ever run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tests.lab.database.case import Fault

FOLDER = Path(__file__).resolve().parents[1] / "lab" / "database"
KINDS = sorted(file.stem.removeprefix("test_fault_") for file in FOLDER.glob("test_fault_*.py"))


def file_of(kind: str) -> Path:
    """Return where the cases of a kind are."""
    return FOLDER / f"test_fault_{kind}.py"


def known() -> Iterator[Fault]:
    """Yield what each case says of itself."""
    for kind in KINDS:
        module = import_module(f"tests.lab.database.{file_of(kind).stem}")
        for test in vars(module).values():
            for mark in getattr(test, "pytestmark", []):
                if mark.name == "fault":
                    yield mark.kwargs["fault"]
