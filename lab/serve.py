"""HTTPS servers for the lab's emulated APIs, each for as long as a ``with`` block lasts."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp

from .private import write_private

STARTS_WITHIN_SECONDS = 10
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """Where an API answers, and how it is known."""

    endpoint: str
    fingerprint: str


class Authority:
    """The lab's own certificate authority; what it issued is kept, so that pins stay true."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        key = folder / "ca.key"
        if key.exists():
            self._ca = trustme.CA.from_pem(self.certificate.read_bytes(), key.read_bytes())
            return
        self._ca = trustme.CA()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ca.cert_pem.write_to_path(str(self.certificate))
        write_private(key, self._ca.private_key_pem.bytes().decode())

    def issue(self, name: str, address: str = LOOPBACK, *names: str) -> Path:
        """Return a file with the key and the certificates of a server."""
        path = self._folder / f"{name}.pem"
        if not path.exists():
            leaf = self._ca.issue_cert(address, *names)
            write_private(path, leaf.private_key_and_cert_chain_pem.bytes().decode())
        return path


def fingerprint(pem: Path) -> str:
    """Return the SHA-256 of a server's certificate, as Proxmox and browsers write it."""
    text = pem.read_text()
    first = text[text.index("-----BEGIN CERTIFICATE") :].split("-----END CERTIFICATE-----")[0]
    der = ssl.PEM_cert_to_DER_cert(f"{first}-----END CERTIFICATE-----\n")
    return hashlib.sha256(der).digest().hex(":").upper()


@contextmanager
def serving(
    app: ASGIApp, name: str, authority: Authority, address: str = LOOPBACK, port: int = 0
) -> Iterator[Served]:
    """Serve ``app`` at an address, on a free port unless one is given."""
    certificate = authority.issue(name, address)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=address,
            port=port,
            log_level="error",
            ssl_certfile=certificate,
            lifespan="off",
        )
    )
    thread = threading.Thread(target=server.run, name=f"lab-{name}", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"{name}: the server did not start at {address}:{port}")
            time.sleep(0.005)
        bound = server.servers[0].sockets[0].getsockname()[1]
        yield Served(endpoint=f"https://{address}:{bound}", fingerprint=fingerprint(certificate))
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def beside(
    command: Sequence[object], address: str, port: int, variables: Mapping[str, str]
) -> Iterator[None]:
    """Run a server of its own program; it listens when the block begins and ends with it."""
    process = subprocess.Popen(list(map(str, command)), env={**os.environ, **variables})
    try:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not _listens(address, port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]}: does not listen at {address}:{port}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
