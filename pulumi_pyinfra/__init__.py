"""A pyinfra deploy as a Pulumi resource: what is inside a host becomes part of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .deploy import Chroot, Deploy, DeployArgs, Host, Rollout, Ssh

__all__ = ["Chroot", "Deploy", "DeployArgs", "Host", "Rollout", "Ssh"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has that name
    """Import the resource when it is asked for: a worker never does, and Pulumi's SDK is slow."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import deploy  # noqa: PLC0415

    return getattr(deploy, name)
