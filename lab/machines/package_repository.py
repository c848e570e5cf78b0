"""Packages with all they need, as a folder that apt inside a machine installs from, offline.

They are fetched by this computer's apt, which checks the archive's signature; the folder itself
is unsigned, and machines are told to trust it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .base_image import BaseImage
from .built_once import built_once, logged
from .host import KEYRING, have_commands, have_keyring, mirror
from .place import machines_cache

IN_MACHINE = "/var/lib/lab-packages"
SOURCE = f"deb [trusted=yes] file:{IN_MACHINE} ./\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageRepository:
    """What can be installed on machines of one base image."""

    packages: tuple[str, ...]
    image: BaseImage
    cache: Path | None = None
    """Where it is kept, if not in this user's cache."""

    @property
    def folder(self) -> Path:
        """Return where its files are, whether it was built or not."""
        recipe = "\n".join([str(self.image.folder.name), *sorted(self.packages)])
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        return (self.cache or machines_cache()) / f"packages-{self.image.suite}-{digest}"

    def obtain(self) -> Path:
        """Return its folder, fetching the packages if this is the first time it is asked for."""
        return self.folder if self.folder.exists() else built_once(self.folder, self._build)

    def into(self, folder: Path) -> Path:
        """Have all of it in a folder that machines may be using, and return that folder.

        A running machine sees what is in the folder, never that another took its place.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(self.obtain().iterdir(), key=lambda file: file.suffix != ".deb")
        # First the packages, then the index that names them.
        for file in files:
            there = folder / file.name
            if there.exists() and there.samefile(file):
                continue
            new = folder / f"{file.name}.new"
            new.unlink(missing_ok=True)
            new.hardlink_to(file)
            new.replace(there)
        for gone in {file.name for file in folder.iterdir()} - {file.name for file in files}:
            (folder / gone).unlink()
        return folder

    def _build(self, folder: Path, log: IO[str]) -> None:
        have_commands()
        have_keyring()
        apt = folder / "apt"
        for part in ("state/lists/partial", "cache/archives/partial"):
            (apt / part).mkdir(parents=True)
        sources = apt / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {self.image.suite} main\n")
        settings = {
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "-",
            "Dir::State": apt / "state",
            "Dir::State::status": self.image.obtain() / "var/lib/dpkg/status",
            "Dir::Cache": apt / "cache",
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
        }
        options = [f"-o{name}={value}" for name, value in settings.items()]
        logged(log, "apt-get", *options, "update")
        logged(log, "apt-get", *options, "--yes", "--download-only", "install", *self.packages)
        for package in (apt / "cache/archives").glob("*.deb"):
            package.rename(folder / package.name)
        logged(log, "rm", "-rf", apt)
        index = (
            'cd "$1" && apt-ftparchive packages . > Packages && apt-ftparchive release . > Release'
        )
        logged(log, "sh", "-c", index, "index", folder)
