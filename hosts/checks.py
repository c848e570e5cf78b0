"""Checks that contracts share; each yields faults as ``key: reason``, and all are told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_WORD = re.compile(r"[A-Za-z0-9_-]{8,}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SQL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LAST_PORT = 65535


def refuse(faults: Iterable[str]) -> None:
    """Raise one error that names every fault, if there is one."""
    if told := "\n".join(faults):
        raise ValueError(told)


def secret(key: str, value: str) -> Iterator[str]:
    """Want a secret that needs no quoting in any configuration file."""
    if not _WORD.fullmatch(value):
        yield f"{key}: must be at least 8 letters, digits, - or _"


def identifier(key: str, value: str) -> Iterator[str]:
    """Want a name that systemd, etcd and Patroni take without quotes."""
    if not _NAME.fullmatch(value):
        yield f"{key}: must match {_NAME.pattern}, got {value}"


def port(key: str, value: int) -> Iterator[str]:
    """Want a port."""
    yield from within(key, value, 1, _LAST_PORT)


def within(key: str, value: float, least: float, most: float) -> Iterator[str]:
    """Want a number between two others."""
    if not least <= value <= most:
        yield f"{key}: must be {least}-{most}, got {value}"


def sql_name(key: str, value: str) -> Iterator[str]:
    """Want a name that SQL takes without quotes."""
    if not _SQL_NAME.fullmatch(value):
        yield f"{key}: must match {_SQL_NAME.pattern}, got {value}"
