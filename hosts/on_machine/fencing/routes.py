"""Routes that say that a machine can't be reached: known by a number, and taken away again."""

from __future__ import annotations

import subprocess

PROTO = "187"
"""By this number our routes are told from all others."""


def cut(address: str) -> None:
    """Have whoever asks a machine, or has asked it already, be told at once that nobody answers."""
    _change("replace", "unreachable", address, "proto", PROTO)
    # A kernel that can't end connections leaves them to their own patience.
    subprocess.run(
        ["ss", "--kill", "--tcp", "dst", address],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def lift(address: str) -> None:
    """Let a machine be asked again; one that may be is left as it is."""
    _change("delete", "unreachable", address, "proto", PROTO)


def lift_all() -> None:
    """Take away what one has left that was killed."""
    _change("flush", "type", "unreachable", "proto", PROTO)


def _change(*words: str) -> None:
    subprocess.run(["ip", "route", *words], check=False)
