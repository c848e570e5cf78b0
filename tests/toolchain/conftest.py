"""A cache in a temporary folder, and sources that do what a test tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.tool import SourceError, Tool


@dataclass
class FakeSource:
    """Gives a file with its own name in it, or fails for the reason it was made with."""

    name: str
    fails: str = ""
    asked: list[str] = field(default_factory=list)
    told: str = "recipe"

    def offers(self, tool: Tool) -> bool:  # noqa: ARG002
        return True

    def recipe(self, tool: Tool) -> str:  # noqa: ARG002
        return self.told

    def obtain(self, tool: Tool, staging: Path, say: Callable[[str], None]) -> Mapping[str, Path]:
        self.asked.append(tool.name)
        (staging / "half").write_text("half")
        if self.fails:
            raise SourceError(self.fails)
        say("works")
        (staging / "half").write_text(self.name)
        return {f"bin/{tool.name}": staging / "half"}


def a_tool(name: str = "hammer", version: str = "1.2.3", only_for: str = "") -> Tool:
    return Tool(
        name=name, version=version, only_for=only_for, by_hand="https://tools.example/{version}"
    )


@pytest.fixture
def cache(tmp_path):
    made = Cache(tmp_path / "cache")
    made.root.mkdir()
    return made


@pytest.fixture
def said():
    return []
