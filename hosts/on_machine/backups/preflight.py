"""Asks the object store for all that backups need of it, before it is trusted with any.

It writes, reads, lists and removes small objects of its own, and one in parts of one size. All
that the store refuses is told at once; a store that is away is told apart, by the exit status.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from . import settings
from .machine import say
from .store import AWAY, MIB, REFUSED, Store, reason

PART = 5 * MIB
STORE_IS_AWAY = 75
TRUSTED = settings.STATE / "trusted"
_OFTEN = 5


def main() -> None:
    """Exit with 0 if the store does all that is needed, 75 if it is away, else 1."""
    told = settings.read()
    store = Store(told["store"])
    where = f"object store {store.endpoint}, bucket {store.bucket}"
    try:
        faults = Contract(store, f"{told['cluster']}-preflight/{uuid4().hex}").faults()
    except AWAY as error:
        say(f"{where}: is away, nothing is known of it: {reason(error)}")
        sys.exit(STORE_IS_AWAY)
    if faults:
        sys.exit(f"{where} can't be trusted with backups:\n  " + "\n  ".join(faults))
    TRUSTED.write_text(hashlib.sha256(settings.PLACE.read_bytes()).hexdigest())
    say(f"{where}: put, get, list, parts of one size and delete work")


class Contract:
    """What a store must do, tried on objects below one prefix."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._small = os.urandom(1000)

    def faults(self) -> list[str]:
        """Return all that it does not do; what was written is removed."""
        told = []
        for what, check in self._checks():
            try:
                wrong = check()
            except AWAY:
                raise
            except REFUSED as error:
                wrong = reason(error)
            if wrong:
                told.append(f"{what}: {wrong}")
        for name in ("a", "b", "parts"):
            with suppress(*REFUSED):
                self._store.delete(self._key(name))
        return told

    def _checks(self) -> tuple[tuple[str, Callable[[], str | None]], ...]:
        return (
            ("put", self._put),
            ("put of one name, often", self._often),
            ("get", self._get),
            ("list", self._list),
            ("multipart, parts of one size", self._parts),
            ("delete", self._delete),
        )

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}"

    def _put(self) -> None:
        for name in ("a", "b"):
            self._store.put(self._key(name), self._small)

    def _often(self) -> None:
        # R2 answers 429 to more than one write a second of one name; whoever waits is let in.
        for _ in range(_OFTEN):
            self._store.put(self._key("a"), self._small)

    def _get(self) -> str | None:
        same = self._store.get(self._key("a")) == self._small
        return None if same else "what comes back is not what was written"

    def _list(self) -> str | None:
        found = list(self._store.keys(f"{self._prefix}/", page=1))
        wanted = [self._key("a"), self._key("b")]
        if found != wanted:
            return f"expected {wanted} on two pages, got {found}"
        after = list(self._store.keys(f"{self._prefix}/", after=wanted[0]))
        return None if after == wanted[1:] else f"expected {wanted[1:]} after a, got {after}"

    def _parts(self) -> str | None:
        client, name = self._store.client, {"Bucket": self._store.bucket, "Key": self._key("parts")}
        content = os.urandom(2 * PART + 1000)
        upload = {**name, "UploadId": client.create_multipart_upload(**name)["UploadId"]}
        try:
            tags = []
            for number, start in enumerate(range(0, len(content), PART), 1):
                body = content[start : start + PART]
                said = client.upload_part(**upload, PartNumber=number, Body=body)
                tags.append({"PartNumber": number, "ETag": said["ETag"]})
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": tags})
        except REFUSED:
            with suppress(*REFUSED):
                client.abort_multipart_upload(**upload)
            raise
        if self._store.get(name["Key"]) != content:
            return "what comes back is not what was written"
        middle = client.get_object(**name, Range=f"bytes={PART - 10}-{PART + 9}")["Body"].read()
        same = middle == content[PART - 10 : PART + 10]
        return None if same else "a range of it is not what was asked for"

    def _delete(self) -> str | None:
        for name in ("a", "b", "parts"):
            self._store.delete(self._key(name))
        left = list(self._store.keys(f"{self._prefix}/"))
        return f"still there: {left}" if left else None


if __name__ == "__main__":
    main()
