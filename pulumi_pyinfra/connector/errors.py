"""What can go wrong with a connection, told apart so that the provider can say it."""

from __future__ import annotations

from pyinfra.api.exceptions import ConnectError


class UnreachableError(ConnectError):
    """Nobody answers there, or what answers does not speak SSH."""


class PermissionDeniedError(ConnectError):
    """The host answers and refuses our key or our user; it was asked once."""


class HostKeyRefusedError(ConnectError):
    """The host shows another key than the ones that it is known by; nothing was sent to it."""


class ConnectionLostError(ConnectionError):
    """The connection broke after it was made; pyinfra counts it as an error of that host."""
