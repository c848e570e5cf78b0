"""The offer of a key, made without waiting for the leave to make one.

Paramiko asks for the service ``ssh-userauth``, waits for its acceptance, and offers the key then.
The two follow from each other and may be sent together, which saves a round trip. The steps
between are paramiko's own: its version is pinned, and a test counts the round trips.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from paramiko import Message, RSAKey
from paramiko.auth_handler import AuthHandler

if TYPE_CHECKING:
    from paramiko import PKey, Transport


def offer(transport: Transport, user: str, key: PKey) -> list[str]:
    """Offer ``key`` once, and return what else the host wants, as ``auth_publickey`` does."""
    if isinstance(key, RSAKey) or not transport.is_active():
        # How to sign with an RSA key is said by the host meanwhile.
        return transport.auth_publickey(user, key)
    handler = transport.auth_handler = _Eager(transport)
    answered = threading.Event()
    handler.auth_publickey(user, key, answered)
    return handler.wait_for_response(answered)


class _Eager(AuthHandler):
    """Goes on as if the service were accepted, and is right unless the connection ends."""

    def _request_auth(self) -> None:
        super()._request_auth()  # type: ignore[misc]  # not in its stubs
        accepted = Message()
        accepted.add_string("ssh-userauth")
        accepted.rewind()
        super()._parse_service_accept(accepted)  # type: ignore[misc]  # the same

    def _parse_service_accept(self, _: Message) -> None:
        """Do nothing more at the acceptance itself."""
