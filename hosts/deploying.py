"""pyinfra's ``deploy``, with a type that says what it takes: the contract, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from pyinfra.api.deploy import deploy as _pyinfras

W = TypeVar("W")


def deploy(name: str) -> Callable[[Callable[[W], None]], Callable[[W], None]]:
    """Make a deploy of a function that takes a contract."""
    return cast("Callable[[Callable[[W], None]], Callable[[W], None]]", _pyinfras(name))
