"""A secret that changes while it is in use: two words, both taken at any time, one of them used.

So no order matters in which machines hear of a change. To rotate is to use the other word, and then
to make the one anew that was used before: what somebody may have learnt is worth nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .checks import refuse, secret

Which = Literal["first", "second"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Both words, and which of them is used."""

    first: str = field(repr=False)
    second: str = field(repr=False)
    in_use: Which = "first"

    def __post_init__(self) -> None:
        refuse([*secret("first", self.first), *secret("second", self.second)])

    @property
    def word(self) -> str:
        """Return the word that is used."""
        return self.first if self.in_use == "first" else self.second

    @property
    def other(self) -> str:
        """Return the word that is not used."""
        return self.second if self.in_use == "first" else self.first

    def accounts(self, role: str) -> dict[str, str]:
        """Return the words by account, where an account has one word only: the second has its own.

        PostgreSQL takes one password for a role, so that a role is two.
        """
        return {role: self.first, second(role): self.second}

    def account(self, role: str) -> str:
        """Return the account whose word is used."""
        return role if self.in_use == "first" else second(role)


def second(role: str) -> str:
    """Return what a role's second account is called."""
    return f"{role}_2"
