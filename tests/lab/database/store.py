"""An S3 server in the lab's network: versitygw, with TLS, on a folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import trustme

from lab.machines import Network
from toolchain.cache import Cache

ADDRESS, PORT = IPv4Address("192.168.15.1"), 7070
BUCKET, KEY, SECRET = "cold-db-backups-testing", "lab-key", "lab-secret-0123456789"
PASSPHRASE = {
    "first": "passphrase-0123456789-0123456789",
    "second": "another-0123456789-0123456789",
}


def program() -> str | None:
    """Return where the server is, if it is there."""
    found = os.pathsep.join([str(Cache.of_this_user().root / "bin"), os.environ.get("PATH", "")])
    return shutil.which("versitygw", path=found)


@dataclass
class Store:
    """A running or a stopped server; what it holds stays."""

    network: Network
    folder: Path
    authority: trustme.CA
    _server: subprocess.Popen[bytes] | None = None

    def backups(self) -> dict[str, Any]:
        """Return what the machines are told of it."""
        return {
            "store": {
                "endpoint": f"{ADDRESS}:{PORT}",
                "bucket": BUCKET,
                "region": "us-east-1",
                "key": KEY,
                "key_secret": SECRET,
                "authority": self.authority.cert_pem.bytes().decode(),
            },
            "passphrase": dict(PASSPHRASE),
        }

    @property
    def files(self) -> list[Path]:
        return [path for path in (self.folder / "data" / BUCKET).rglob("*") if path.is_file()]

    @contextmanager
    def running(self) -> Iterator[Store]:
        """Serve until the end of the block."""
        (self.folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
        (self.folder / "iam").mkdir(exist_ok=True)
        made = self.authority.issue_cert(str(ADDRESS))
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        (self.folder / "cert.pem").write_bytes(chain)
        (self.folder / "key.pem").write_bytes(made.private_key_pem.bytes())
        command = self.network.command(
            str(program()), "--port", f"{ADDRESS}:{PORT}",
            "--cert", str(self.folder / "cert.pem"), "--key", str(self.folder / "key.pem"),
            "--iam-dir", str(self.folder / "iam"), "--quiet",
            "posix", str(self.folder / "data"),
        )  # fmt: skip
        variables = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        with (
            (self.folder / "log").open("a") as log,
            subprocess.Popen(
                command, env={**os.environ, **variables}, stdout=log, stderr=log
            ) as server,
        ):
            try:
                self._wait(server)
                self._server = server
                yield self
            finally:
                server.terminate()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Have the running server take connections, and answer nobody."""
        assert self._server
        self._server.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._server.send_signal(signal.SIGCONT)

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert server.poll() is None, (self.folder / "log").read_text()
            with suppress(OSError):
                self.network.connect(ADDRESS, PORT, 1).close()
                return
            time.sleep(0.05)
        raise TimeoutError("the S3 server does not answer")
