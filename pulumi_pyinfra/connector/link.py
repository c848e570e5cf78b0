"""One SSH connection: to the host that was meant, by the one key that was given.

Paramiko's ``Transport`` is used bare, since its ``SSHClient`` would look at agents and files.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

from paramiko import AuthenticationException, Channel, ChannelException, SSHException, Transport

from .eager import offer
from .errors import ConnectionLostError, PermissionDeniedError, UnreachableError
from .keys import check_host_key, kind_of_key, private_key, public_line

if TYPE_CHECKING:
    from paramiko import PKey

    from .target import SshTarget

KEEPALIVE = 15
"""Seconds of silence after which a connection has to show that it lives."""

# What paramiko logs, we raise; without a handler Python would print it on stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Link:
    """An authenticated SSH connection."""

    def __init__(self, target: SshTarget, transport: Transport) -> None:
        self.target = target
        self.host_key = public_line(transport.get_remote_server_key())
        self._transport = transport

    def session(self) -> Channel:
        """Open a channel for one command or one shell; a ``ChannelException`` is a refusal."""
        try:
            return self._transport.open_session(timeout=KEEPALIVE)
        except ChannelException:
            raise
        except (SSHException, EOFError, OSError) as error:
            self.close()
            raise ConnectionLostError(f"the connection to {self.target.where} is lost") from error

    def tunnel(self, to: SshTarget, timeout: float) -> Channel:
        """Open a channel that is a connection from this host to another."""
        origin = ("127.0.0.1", 0)
        return self._transport.open_channel(
            "direct-tcpip", (to.address, to.port), origin, timeout=timeout
        )

    def probe(self) -> None:
        """Raise an error unless the host answers within ``KEEPALIVE`` seconds."""
        # Not by a global request: paramiko would wait for its answer without any limit.
        try:
            self.session().close()
        except ChannelException:
            return  # a refusal is an answer

    @property
    def alive(self) -> bool:
        """Whether nothing has ended the connection, as far as is known."""
        return bool(self._transport.is_active())

    def close(self) -> None:
        """End the connection and every channel on it."""
        _close(self._transport)


def connect(target: SshTarget, bastion: Link | None) -> Link:
    """Connect to ``target``, through ``bastion`` where there is one."""
    key = private_key(target)
    deadline = time.monotonic() + target.connect_timeout
    transport = _reach(target, bastion, deadline)
    try:
        _authenticate(transport, target, key, deadline)
        return Link(target, transport)
    except BaseException:
        _close(transport)
        raise


def _reach(target: SshTarget, bastion: Link | None, deadline: float) -> Transport:
    """Try until the host answers and has shown the right key."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return _negotiate(target, _socket(target, bastion, _left(deadline)), deadline)
        except (OSError, SSHException, EOFError) as error:
            pause = 0.1 * 2**attempt
            if attempt >= target.connect_attempts or _left(deadline) <= pause:
                raise _unreachable(target, bastion, error, attempt) from None
            time.sleep(pause)


def _socket(target: SshTarget, bastion: Link | None, timeout: float) -> socket.socket | Channel:
    if bastion:
        return bastion.tunnel(target, timeout)
    connection = socket.create_connection((target.address, target.port), timeout)
    # Paramiko leaves TCP's delay on and pays 40 ms wherever two small packets follow each other.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * KEEPALIVE))
    return connection


def _negotiate(
    target: SshTarget, connection: socket.socket | Channel, deadline: float
) -> Transport:
    transport = Transport(connection)
    try:
        options = transport.get_security_options()
        # Encryption and authentication in one step: paramiko prefers two, in Python.
        options.ciphers = sorted(options.ciphers, key=lambda cipher: "gcm" not in cipher)
        known = {key.split()[0] for key in target.host_keys or ()}
        # A host has a key of each kind and shows one: ask for a kind that it is known by.
        options.key_types = sorted(options.key_types, key=lambda k: kind_of_key(k) not in known)
        transport.banner_timeout = _left(deadline)
        transport.start_client(timeout=_left(deadline))
        check_host_key(target, transport.get_remote_server_key())
        transport.set_keepalive(KEEPALIVE)
    except BaseException:
        _close(transport)
        raise
    return transport


def _authenticate(transport: Transport, target: SshTarget, key: PKey, deadline: float) -> None:
    """Offer the key once: sshd bans an address that keeps offering a wrong one."""
    transport.auth_timeout = _left(deadline)
    try:
        more = offer(transport, target.user, key)
    except AuthenticationException as error:
        if "timeout" in str(error):
            raise _unreachable(target, None, error, 1) from None
        more = [str(error)]
    except (OSError, SSHException, EOFError) as error:
        raise _unreachable(target, None, error, 1) from None
    if more:
        raise PermissionDeniedError(
            f"{target.where} refuses {target.user} with the key {key.fingerprint}:"
            f" {', '.join(more)}"
        )


def _close(transport: Transport) -> None:
    transport.close()
    transport.sock.close()  # paramiko leaves it open when the other side has ended the connection


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


def _unreachable(
    target: SshTarget, bastion: Link | None, error: Exception, attempts: int
) -> UnreachableError:
    through = f" through {bastion.target.where}" if bastion else ""
    tries = f"{attempts} attempt{'s'[: attempts > 1]}"
    reason = str(error) or type(error).__name__
    return UnreachableError(f"{target.where}{through} can't be reached: {reason} ({tries})")
