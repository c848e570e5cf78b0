"""A release of K3s: fetched once by who runs the deploy, proven, and handed to each machine.

A machine has the whole file or the one from before: what was handed over is checked and on the
disk before it takes the old one's place, so that a power cut leaves no half of a program.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from pyinfra.api.command import FileUploadCommand, PyinfraCommand, QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import Sha256File

from .checks import refuse

PROGRAM = "k3s"
_IMAGES = "k3s-airgap-images-"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"v1\.[0-9]{1,2}\.[0-9]{1,2}\+k3s[0-9]{1,2}")
_SECONDS = 60
"""How long the mirror may say nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A version, where its files are, and by what each of them is known."""

    version: str
    mirror: str
    """A folder with the files, or a URL below which each version has its folder."""
    sha256: Mapping[str, str]
    """By file: the program ``k3s``, and archives of images for machines without a registry."""

    def __post_init__(self) -> None:
        others = [name for name in self.sha256 if name != PROGRAM and not name.startswith(_IMAGES)]
        wrong = [name for name, digest in self.sha256.items() if not _DIGEST.fullmatch(digest)]
        refuse(
            [
                *([] if _VERSION.fullmatch(self.version) else ["version: expected vX.Y.Z+k3sN"]),
                *([] if PROGRAM in self.sha256 else [f"sha256: that of {PROGRAM} is missing"]),
                *(f"sha256: {name} is neither {PROGRAM} nor {_IMAGES}*" for name in others),
                *(
                    f"sha256: {name}: expected 64 hexadecimal digits, as in sha256sum-amd64.txt"
                    for name in wrong
                ),
                *(
                    []
                    if self.mirror.startswith(("https://", "/"))
                    else ["mirror: expected https://... or an absolute path"]
                ),
            ]
        )

    @property
    def images(self) -> tuple[str, ...]:
        """Return the archives of images."""
        return tuple(sorted(name for name in self.sha256 if name != PROGRAM))

    def obtain(self, name: str) -> Path:
        """Return a file of it on this computer, proven to be the one that is meant."""
        if self.mirror.startswith("/"):
            found = Path(self.mirror, name)
            self._prove(found, name)
            return found
        kept = _cache() / self.sha256[name]
        if not kept.exists():
            self._fetch(name, kept)
        return kept

    def _fetch(self, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        url = f"{self.mirror.rstrip('/')}/{quote(self.version)}/{name}"
        with TemporaryDirectory(dir=target.parent) as folder:
            file = Path(folder, name)
            # The address begins with https://: see above.
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer, file.open("wb") as whole:  # noqa: S310
                shutil.copyfileobj(answer, whole)
            self._prove(file, name)
            file.replace(target)

    def _prove(self, file: Path, name: str) -> None:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != self.sha256[name]:
            raise ValueError(f"{name} of {self.mirror}: sha256 {digest}, not {self.sha256[name]}")


@operation()
def released_file(
    release: Release, file: str, dest: str, mode: str = "644"
) -> Generator[PyinfraCommand, None, None]:
    """Have a file of a release on the machine, whole or as it was."""
    digest = release.sha256[file]
    if host.get_fact(Sha256File, path=dest) == digest:
        host.noop(f"{dest} is that of {release.version}")
        return
    new = f"{dest}.new"
    folder = str(Path(dest).parent)
    # Whoever only asks whether something would change hears it before anything is fetched.
    yield StringCommand("mkdir", "-p", QuoteString(folder))
    yield FileUploadCommand(str(release.obtain(file)), new)
    # sha256sum wants two blanks.
    yield StringCommand("echo", QuoteString(f"{digest}  {new}"), "|", "sha256sum", "--check")
    yield StringCommand("chmod", mode, QuoteString(new))
    yield StringCommand("sync", QuoteString(new))
    yield StringCommand("mv", QuoteString(new), QuoteString(dest))
    yield StringCommand("sync", QuoteString(folder))


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "coldstorage" / "k3s"
