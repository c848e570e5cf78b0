"""Secrets never leave the worker, in none of the forms that a host or a tool gives them."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "[secret]"
_SHORTEST_PART = 8


class Masker:
    """Replaces every known secret in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # The longest first: a line of a key must not be masked before the whole key is.
        words = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, words))) if words else None

    def mask(self, text: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _forms(secret: str) -> Iterator[str]:
    yield from _encoded(secret)
    yield from _in_base64(secret)
    lines = [line.strip() for line in secret.splitlines()]
    for line in lines if len(lines) > 1 else ():
        if len(line) >= _SHORTEST_PART:
            yield from _encoded(line)


def _encoded(secret: str) -> Iterator[str]:
    quoted = secret.replace("'", "'\"'\"'")
    yield secret
    yield from (quoted, quoted.replace("'", "'\"'\"'"))
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], shlex.quote(secret))


def _in_base64(secret: str) -> Iterator[str]:
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        # Inside a longer text ("user:secret") it starts at any of three offsets: what is the
        # same whatever stands before and after is masked.
        for before in range(3):
            inner = encode(b"\0" * before + raw).decode().rstrip("=")
            certain = inner[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
            if len(certain) >= _SHORTEST_PART:
                yield certain
