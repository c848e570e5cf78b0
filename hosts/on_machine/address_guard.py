#!/usr/bin/env python3
"""Takes the database address off this machine when it does not lead: ``address-guard SETTINGS``.

It depends on nothing of keepalived's, and only ever removes. A clear "no" counts at once, silence
when it comes twice: a database under load may be slow to answer.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

INTERVAL = 0.4
PATIENCE = 0.8
SILENCES = 2
_OK = 200


class Leader:
    """Whoever answers whether this machine leads; the connection is kept while it works."""

    def __init__(self, url: str, authority: str) -> None:
        self._url = urlsplit(url)
        self._authority = authority
        self._connection: http.client.HTTPSConnection | None = None

    def is_here(self) -> bool | None:
        """Return yes, no, or nothing where nobody answers."""
        try:
            connection = self._connection = self._connection or self._connected()
            connection.request("GET", self._url.path)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            if self._connection:
                self._connection.close()
            self._connection = None
            return None
        return response.status == _OK

    def _connected(self) -> http.client.HTTPSConnection:
        # Read anew each time: the authority may have been exchanged.
        context = ssl.create_default_context(cafile=self._authority)
        return http.client.HTTPSConnection(self._url.netloc, timeout=PATIENCE, context=context)


def main() -> None:
    """Guard for ever."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    address, interface = settings["address"], settings["interface"]
    leader = Leader(settings["leader_url"], settings["authority"])
    silences = 0
    while True:
        if not holds(address.partition("/")[0]):
            silences = 0
        else:
            here = leader.is_here()
            silences = silences + 1 if here is None else 0
            if stale(here, silences):
                remove(address, interface, "it does not lead" if here is False else "no answer")
        time.sleep(INTERVAL)


def stale(here: bool | None, silences: int) -> bool:
    """Tell whether the address must not be here any longer."""
    return here is False or silences >= SILENCES


def holds(ip: str) -> bool:
    """Tell whether this machine has an address: only then can a socket be bound to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            return False
    return True


def remove(address: str, interface: str, why: str) -> None:
    """Take the address off."""
    sys.stderr.write(f"removing {address} from {interface}: {why}\n")
    subprocess.run(["ip", "address", "delete", address, "dev", interface], check=False)


if __name__ == "__main__":
    main()
