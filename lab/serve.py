"""An HTTPS server on loopback for an emulated API, for as long as a ``with`` block lasts."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
import uvicorn
from fastapi import FastAPI

STARTS_WITHIN_SECONDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """Where an API answers, and how it is known."""

    endpoint: str
    fingerprint: str


class Authority:
    """The lab's own certificate authority, made anew for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.certificate = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.certificate))

    def issue(self, name: str) -> tuple[Path, str]:
        """Return a file with the key and certificates of a loopback server, and its fingerprint."""
        leaf = self._ca.issue_cert("127.0.0.1", "localhost")
        path = self._folder / f"{name}.pem"
        path.touch(mode=0o600)
        leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        return path, hashlib.sha256(der).digest().hex(":").upper()


@contextmanager
def serving(app: FastAPI, name: str, authority: Authority) -> Iterator[Served]:
    """Serve ``app`` on a free loopback port."""
    certificate, fingerprint = authority.issue(name)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", ssl_certfile=certificate, lifespan="off")
    )
    thread = threading.Thread(target=server.run, name=f"lab-{name}", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"{name}: the server did not start")
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(endpoint=f"https://127.0.0.1:{port}", fingerprint=fingerprint)
    finally:
        server.should_exit = True
        thread.join()
