"""A fact: whether a service has started before a file was written that it reads at its start."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.facts import FactBase
from typing_extensions import override


class StartedBefore(FactBase[bool]):
    """Whether a running service has not read the last word: a deploy may have ended in between."""

    default = bool

    @override
    def command(self, service: str, files: Sequence[str]) -> StringCommand:
        # What happened is told in whole seconds.
        began = f"$(systemctl show --property ExecMainStartTimestamp --value {service}) 1 second"
        return StringCommand(
            "systemctl", "is-active", "--quiet", QuoteString(service), "&&",
            "find", *(QuoteString(file) for file in files), "-newermt", f'"{began}"', "||", "true",
        )  # fmt: skip

    @override
    def process(self, output: list[str]) -> bool:
        return bool(output)
