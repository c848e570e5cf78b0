"""The lab's object store, as R2: versitygw with TLS, and accounts that see one bucket each.

It is a real S3 server; what is not R2's own is its list of accounts, which is a file here.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.cache import Cache

from .internet import Site
from .serve import Authority

STARTS_WITHIN_SECONDS = 20
PORT = 443
REGION = "auto"
"""As R2 calls its only one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectStore:
    """What the store keeps in a folder: buckets, who may use them, and the key that opens all."""

    folder: Path

    @property
    def root(self) -> dict[str, str]:
        """Return the credentials of the store's owner, made at the first call."""
        file = self.folder / "root.json"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = {"access": secrets.token_hex(16), "secret": secrets.token_hex(32)}
            _write_private(file, made)
        document: dict[str, str] = json.loads(file.read_text())
        return document

    @property
    def buckets(self) -> list[str]:
        """Return the names of all buckets."""
        return sorted(path.name for path in (self.folder / "data").iterdir() if path.is_dir())

    def let_in(self, access: str, secret: str) -> None:
        """Have an account; what it may do is said by the policies of buckets."""
        accounts = self._accounts()
        account = {"access": access, "secret": secret, "role": "user", "userID": 0, "groupID": 0}
        accounts["accessAccounts"][access] = account
        _write_private(self._account_file, accounts)

    def shut_out(self, access: str) -> None:
        """Forget an account."""
        accounts = self._accounts()
        accounts["accessAccounts"].pop(access, None)
        _write_private(self._account_file, accounts)

    @property
    def _account_file(self) -> Path:
        return self.folder / "accounts" / "users.json"

    def _accounts(self) -> dict[str, Any]:
        if not self._account_file.exists():
            return {"accessAccounts": {}}
        document: dict[str, Any] = json.loads(self._account_file.read_text())
        return document


@contextmanager
def serving(store: ObjectStore, authority: Authority) -> Iterator[str]:
    """Run the store at its address in the lab's network, and return its endpoint."""
    for name in ("data", "accounts"):
        (store.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate = authority.issue("object-store", Site.OBJECT_STORE.address)
    command = [
        Cache.of_this_user().bin / "versitygw", "--quiet",
        "--port", f"{Site.OBJECT_STORE.address}:{PORT}", "--region", REGION,
        "--cert", certificate, "--key", certificate,
        "--iam-dir", store.folder / "accounts", "--iam-cache-disable", "--health", "/health",
        "posix", store.folder / "data",
    ]  # fmt: skip
    # In the environment: a secret among the arguments could be read by every process.
    owner = {"ROOT_ACCESS_KEY": store.root["access"], "ROOT_SECRET_KEY": store.root["secret"]}
    process = subprocess.Popen(list(map(str, command)), env={**os.environ, **owner})
    try:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not _answers(Site.OBJECT_STORE.address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("versitygw did not start; its words are above")
            time.sleep(0.02)
        yield f"https://{Site.OBJECT_STORE.address}"
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, PORT), timeout=1):
            return True
    except OSError:
        return False


def _write_private(path: Path, content: object) -> None:
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(content))
    new.replace(path)
