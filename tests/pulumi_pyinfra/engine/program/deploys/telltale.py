"""A secret in all places where a deploy may have one, looked for where it must not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO

from pyinfra.api import deploy
from pyinfra.operations import files, server


@dataclass(frozen=True, kw_only=True)
class Telltale:
    """What a host is told."""

    folder: str
    temporary: str
    secret: str = field(repr=False)
    ending: str = "well"


@deploy("Telltale")
def telltale(wanted: Telltale) -> None:
    """Use the secret, and keep what other processes of the machine can see meanwhile."""
    folder = wanted.folder
    files.put(
        name=f"Write {wanted.secret}",
        src=StringIO(f"password = {wanted.secret}\n"),
        dest=f"{folder}/page.txt",
        create_remote_dir=True,
    )
    look = [
        f"for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $each; echo; done > {folder}/argv",
        f"for each in $(grep -lz 'pulumi_[p]yinfra' /proc/[0-9]*/cmdline); do "
        f"cat ${{each%cmdline}}environ; done > {folder}/environ",
        f"cp -r {wanted.temporary} {folder}/temporary",
        'echo "said: $CANARY"; echo "complained: $CANARY" >&2',
    ]
    server.shell(name="Look around", commands=look, _env={"CANARY": wanted.secret})
    if wanted.ending == "fails":
        server.shell(
            name=f"Fail with {wanted.secret}",
            commands=['echo "$CANARY"; echo "$CANARY" >&2; exit 3'],
            _env={"CANARY": wanted.secret},
        )
    if wanted.ending == "raises":
        raise ValueError(f"{wanted.secret} is not right")
