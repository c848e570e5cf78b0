"""A secret of which there are two at any time, so that none is changed while it is used.

Both are known wherever one is asked for; the stack file says which of them is used. Rotating is
using the other one, and then making the one anew that was used before (``ops/rotation.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pulumi

SECOND = "second"


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoWords:
    """Both of them; their resources differ in :data:`SECOND` at the end of their names."""

    first: pulumi.Output[str] = field(repr=False)
    second: pulumi.Output[str] = field(repr=False)

    @classmethod
    def made(cls, name: str, make: Callable[[str], pulumi.Output[str]]) -> TwoWords:
        """Make both, by what makes one of a name."""
        return cls(first=make(name), second=make(f"{name}-{SECOND}"))

    def used(self, *, second: bool) -> pulumi.Output[str]:
        """Return the one that is used."""
        return pulumi.Output.secret(self.second if second else self.first)

    def told(self, *, second: bool) -> dict[str, pulumi.Input[str]]:
        """Return what ``hosts.pair:Pair`` takes."""
        return {
            "first": pulumi.Output.secret(self.first),
            "second": pulumi.Output.secret(self.second),
            "in_use": SECOND if second else "first",
        }
