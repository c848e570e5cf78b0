"""Facts that pyinfra does not have: what a service says of itself, and what a machine may do."""

from __future__ import annotations

import json
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.facts import FactBase
from typing_extensions import override


class MaySetClock(FactBase[bool]):
    """Whether the machine has a clock of its own; a container has its host's."""

    _CAP_SYS_TIME = 25

    @override
    def command(self) -> str:
        return "grep CapBnd /proc/1/status"

    @override
    def process(self, output: list[str]) -> bool:
        return bool(int(output[0].split()[1], 16) >> self._CAP_SYS_TIME & 1)


class Answer(FactBase[dict[str, Any]]):
    """What a URL answers with, as JSON, and its ``status``; 0 is no answer."""

    @override
    def command(self, url: str, authority: str) -> StringCommand:
        return StringCommand(
            "curl", "--silent", "--max-time", "3", "--cacert", QuoteString(authority),
            "--write-out", QuoteString("\n%{http_code}"), QuoteString(url), "||", "true",
        )  # fmt: skip

    @override
    def process(self, output: list[str]) -> dict[str, Any]:
        *body, status = output or ["0"]
        try:
            read = json.loads("\n".join(body))
        except ValueError:
            read = {}
        return {**read, "status": int(status or 0)} if isinstance(read, dict) else {"status": 0}
