"""Secrets are keys of their own, encrypted; no message ever shows one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ..faults import Fault, Path
from ..sections import Platform

SECRETS: Mapping[str, Platform | None] = {
    "proxmox_api_token": Platform.PROXMOX,
    "cloudflare_api_token": None,
    "hcloud_token": Platform.HETZNER,
    "proxmox_fencing_token": Platform.PROXMOX,
    "registry_login": None,
    "alert_mail_password": None,
    "alert_webhook_token": None,
}
"""The keys that hold a secret, with the platform that needs it (None: each)."""
OPTIONAL = frozenset(
    {"proxmox_fencing_token", "registry_login", "alert_mail_password", "alert_webhook_token"}
)
"""Without the first nobody is fenced; the second, ``user:password``, fetches the application; with
the others whoever watches the platform logs in where he tells of it."""

_PROXMOX_TOKEN = re.compile(r"[^@!=\s]+@[A-Za-z][\w.-]*![A-Za-z][\w.-]*=[0-9a-fA-F-]{36}")
_TELLING_KEY = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|(private|api|access)_?key", re.IGNORECASE
)
_TELLING_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"  # PEM
    r"|\bAKIA[0-9A-Z]{16}\b"  # AWS and those who copied its API
    r"|://[^/\s:@]+:[^/\s@]+@"  # a password in a URL
    r"|^[^@!=\s]+@[\w.-]+![\w.-]+=[0-9a-fA-F-]{36}$"  # Proxmox
    # Cloudflare (40 characters) and Hetzner (64): letters of both cases and digits, mixed.
    r"|^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])([\w-]{40}|[A-Za-z0-9]{64})$"
)


def secret_missing(platform: Platform, present: Mapping[str, object]) -> Iterator[Fault]:
    """What the platform needs to be reached is there."""
    for name, needed_on in SECRETS.items():
        needed = needed_on in {None, platform} and name not in OPTIONAL
        if needed and not present.get(name):
            yield Fault((name,), "is missing", "a secret: run `make secrets`")


def secret_in_plain_text(
    present: Mapping[str, object], secret_keys: Collection[str]
) -> Iterator[Fault]:
    """A secret is encrypted in the file; one that was not is known to all who read it."""
    for name in SECRETS:
        if present.get(name) and name not in secret_keys:
            wrong = "is a secret in plain text"
            yield Fault((name,), wrong, "it encrypted: rotate it, then run `make secrets`")


def proxmox_token_malformed(
    platform: Platform, present: Mapping[str, object], secret_keys: Collection[str]
) -> Iterator[Fault]:
    """A Proxmox token names its user and itself before the equals sign."""
    for name in ("proxmox_api_token", "proxmox_fencing_token"):
        token = present.get(name) if name in secret_keys and platform is Platform.PROXMOX else None
        if token and not _PROXMOX_TOKEN.fullmatch(str(token)):
            expected = "user@realm!name=uuid: run `make secrets`"
            yield Fault((name,), "is not a Proxmox API token", expected)


def secret_section(
    present: Mapping[str, object], sections: Collection[str], secret_keys: Collection[str]
) -> Iterator[Fault]:
    """A section is read by people and holds no secret, so none is encrypted."""
    for name in present:
        if name in secret_keys and name in sections:
            expected = f"plain values; secrets are {', '.join(SECRETS)}"
            yield Fault((name,), "is encrypted, in whole or in part", expected)


def secret_inside_a_section(
    present: Mapping[str, object], sections: Collection[str], secret_keys: Collection[str]
) -> Iterator[Fault]:
    """What looks like a secret is refused wherever it stands, by its key or by its form."""
    for name, section in present.items():
        if name in sections and name not in secret_keys:
            for path, value in _leaves((name,), section):
                if _looks_secret(path, value):
                    expected = f"secrets in keys of their own: {', '.join(SECRETS)}"
                    yield Fault(path, "looks like a secret in plain text", expected)


def _leaves(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves((*path, str(name)), inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves((*path, position), inner)
    else:
        yield path, value


def _looks_secret(path: Path, value: object) -> bool:
    names = [step for step in path if isinstance(step, str)]
    telling = _TELLING_KEY.search(names[-1]) is not None and isinstance(value, str | int | float)
    return telling or (isinstance(value, str) and _TELLING_VALUE.search(value) is not None)
