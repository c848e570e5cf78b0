"""Deploys that are careless with a secret in every way that comes to mind."""

from __future__ import annotations

import base64
import logging
import os
import sys
from dataclasses import dataclass, field
from io import StringIO
from urllib.parse import quote

from pyinfra import logger
from pyinfra.api import StringCommand, deploy
from pyinfra.operations import files, server


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret, and where it is written."""

    root: str
    password: str = field(repr=False)


@deploy("Show")
def show(wanted: Secret) -> None:
    """Write it into files, environments and names."""
    encoded = base64.b64encode(f"user:{wanted.password}".encode()).decode()
    text = f"password={wanted.password}\nurl={quote(wanted.password)}\nbasic={encoded}\n"
    files.put(name=f"Write {wanted.password}", src=StringIO(text), dest=f"{wanted.root}/file")
    files.line(name="Add a line", path=f"{wanted.root}/file", line=f"line {wanted.password}")
    server.shell(
        name="Use it",
        commands=[StringCommand("echo", "$WORD", ">", f"{wanted.root}/word")],
        _env={"WORD": wanted.password},
    )


@deploy("Fail")
def fail(wanted: Secret) -> None:
    """Say it, and fail."""
    server.shell(
        name="Fail with it",
        commands=['echo "$WORD"; echo "$WORD" | base64 >&2; exit 1'],
        _env={"WORD": wanted.password},
    )


@deploy("Shout")
def shout(wanted: Secret) -> None:
    """Print it, log it, and raise it."""
    sys.stdout.write(f"printed {wanted.password}\n")
    sys.stderr.write(f"printed {wanted.password}\n")
    os.write(1, b"printed below Python\n")
    logger.warning("logged %s", wanted.password)
    logging.getLogger("other").warning("logged %s", wanted.password)
    raise ValueError(wanted.password)
