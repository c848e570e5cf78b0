"""The lab's object store, as R2: versitygw with TLS, and accounts that see one bucket each.

It is a real S3 server; what is not R2's own is its list of accounts, which is a file here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache

from .internet import Site
from .private import write_private
from .serve import Authority, beside

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
            made = {"access": secrets.token_hex(16), "secret": secrets.token_hex(32)}
            write_private(file, json.dumps(made))
        document: dict[str, str] = json.loads(file.read_text())
        return document

    @property
    def buckets(self) -> list[str]:
        """Return the names of all buckets."""
        return sorted(path.name for path in (self.folder / "data").iterdir() if path.is_dir())

    def let_in(self, keys: Mapping[str, str]) -> None:
        """Have these accounts and no others; what each may do, policies of buckets say."""
        accounts = {
            access: {"access": access, "secret": secret, "role": "user", "userID": 0, "groupID": 0}
            for access, secret in keys.items()
        }
        users = self.folder / "accounts" / "users.json"
        write_private(users, json.dumps({"accessAccounts": accounts}))


@contextmanager
def serving(
    store: ObjectStore,
    authority: Authority,
    address: str = Site.OBJECT_STORE.address,
    port: int = PORT,
) -> Iterator[str]:
    """Run the store, and return its endpoint."""
    for name in ("data", "accounts"):
        (store.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate = authority.issue("object-store", address)
    command = [
        Cache.of_this_user().bin / "versitygw", "--quiet",
        "--port", f"{address}:{port}", "--region", REGION,
        "--cert", certificate, "--key", certificate,
        "--iam-dir", store.folder / "accounts", "--iam-cache-disable", "--health", "/health",
        "posix", store.folder / "data",
    ]  # fmt: skip
    # In the environment: a secret among the arguments could be read by every process.
    owner = {"ROOT_ACCESS_KEY": store.root["access"], "ROOT_SECRET_KEY": store.root["secret"]}
    with beside(command, address, port, owner):
        yield f"https://{address}:{port}"
