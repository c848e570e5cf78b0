"""Signs of life of the leader's machine: it answers a ping, or its Patroni says anything at all.

A machine whose kernel answers is alive, even if nothing that runs on it does: its time is Patroni's
to decide, by the ttl.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress

from .decision import Silence

EVERY_SECONDS = 0.1
API_EVERY_SECONDS, API_PATIENCE = 0.5, 1.0
_ECHO, _REPLY = 8, 0
_HEADER = struct.Struct("!BBHHH")


class Signs:
    """Asks one machine at a time, in threads of its own."""

    def __init__(self, api_port: int, authority: str) -> None:
        self._port, self._authority = api_port, authority
        self._address = ""
        self._lock = threading.Lock()
        self._answered = False
        self._silence = Silence(time.monotonic())
        self._ping = Ping()
        for loop in (self._ask_machine, self._ask_patroni):
            threading.Thread(target=loop, daemon=True).start()

    def follow(self, address: str) -> None:
        """Ask this machine from now on, or nobody."""
        with self._lock:
            if address != self._address:
                self._address, self._silence = address, Silence(time.monotonic())

    def heard(self, address: str) -> None:
        """Take note that a machine has just shown that it lives."""
        with self._lock:
            self._answered = self._answered or address == self._address

    def lived(self, address: str, at: float) -> None:
        """Take note that a machine lived at a moment that is over, perhaps still later."""
        with self._lock:
            if address == self._address:
                self._silence = self._silence.lived(at)

    @property
    def silence(self) -> Silence:
        """Return how long the machine has been silent."""
        with self._lock:
            return self._silence

    def _ask_machine(self) -> None:
        while True:
            for address in self._ping.replies():
                self.heard(address)
            with self._lock:
                self._silence = self._silence.after(time.monotonic(), answered=self._answered)
                self._answered = False
                address = self._address
            if address:
                self._ping.ask(address)
            time.sleep(EVERY_SECONDS)

    def _ask_patroni(self) -> None:
        connection: http.client.HTTPSConnection | None = None
        asked = ""
        while True:
            time.sleep(API_EVERY_SECONDS)
            with self._lock:
                address = self._address
            if connection and address != asked:
                connection.close()
                connection = None
            if not address:
                continue
            try:
                if connection is None:
                    connection, asked = self._connected(address), address
                connection.request("GET", "/liveness")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                if connection:
                    connection.close()
                connection = None
            else:
                self.heard(address)

    def _connected(self, address: str) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=self._authority)
        where = f"{address}:{self._port}"
        return http.client.HTTPSConnection(where, timeout=API_PATIENCE, context=context)


class Ping:
    """ICMP's echo, by a raw socket: the other kind is closed to all but some groups."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        self._id = os.getpid() & 0xFFFF
        self._number = 0

    def ask(self, address: str) -> None:
        """Send a question; that nobody can be reached is no news."""
        self._number = (self._number + 1) & 0xFFFF
        head = _HEADER.pack(_ECHO, 0, 0, self._id, self._number)
        packet = _HEADER.pack(_ECHO, 0, checksum(head), self._id, self._number)
        with suppress(OSError):
            self._socket.sendto(packet, (address, 0))

    def replies(self) -> set[str]:
        """Return who has answered since."""
        found = set()
        with suppress(OSError):
            while True:
                data, (address, _) = self._socket.recvfrom(512)
                body = data[(data[0] & 0x0F) * 4 :][: _HEADER.size]
                if len(body) == _HEADER.size:
                    kind, _, _, number, _ = _HEADER.unpack(body)
                    if kind == _REPLY and number == self._id:
                        found.add(address)
        return found


def checksum(data: bytes) -> int:
    """Return the checksum of the internet, of an even number of bytes."""
    total: int = sum(word for (word,) in struct.iter_unpack("!H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
