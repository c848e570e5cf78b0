"""The folder outside the repository where tools lie, and the record of what lies there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """What was put in place for one tool, and by which source."""

    version: str
    source: str
    recipe: str
    """Digest of what the source was told; another recipe asks for another try."""
    seconds: float
    files: Mapping[str, tuple[int, int, str]]
    """(size, time of change in ns, sha256) by place below the cache; absolute if not ours."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache's folders; every file appears in them by a rename, complete or not at all."""

    root: Path

    @classmethod
    def of_this_user(cls) -> Cache:
        """Return the cache of this user, whether it exists or not."""
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return cls(Path(base).expanduser() / "coldstorage")

    @property
    def bin(self) -> Path:
        """Where commands lie."""
        return self.root / "bin"

    @property
    def pulumi_home(self) -> Path:
        """What PULUMI_HOME must say for the engine to find the plugins."""
        return self.root / "pulumi"

    @contextlib.contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other runs out; call `waiting` once if there is one. A killed run leaves no lock."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """Give an empty folder on the same file system, gone afterwards."""
        folder = self.root / "partial"
        # Only the holder of the lock is here, so what lies there is a killed run's.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, files: Mapping[str, Path]) -> dict[str, tuple[int, int, str]]:
        """Move files to their places and return their fingerprints; absolute places stay alone."""
        fingerprints = {}
        for place, staged in files.items():
            target = self.root / place
            if not Path(place).is_absolute():
                staged.chmod(0o755)
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)
            state = target.stat()
            fingerprints[place] = (state.st_size, state.st_mtime_ns, sha256(target))
        return fingerprints

    def remove(self, places: set[str]) -> None:
        """Delete files that nothing records any more, so that none shadows its successor."""
        for place in places:
            if not Path(place).is_absolute():
                (self.root / place).unlink(missing_ok=True)

    def stamp(self, name: str) -> Stamp | None:
        """Return the record of a tool, or nothing if there is none that can be read."""
        try:
            record = json.loads(self._stamp_path(name).read_text())
            record["files"] = {place: tuple(mark) for place, mark in record["files"].items()}
            return Stamp(**record)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def record(self, name: str, stamp: Stamp) -> None:
        """Write the record of a tool."""
        self.write(self._stamp_path(name), asdict(stamp))

    def intact(self, stamp: Stamp) -> bool:
        """Tell whether every file is the recorded one; hash it only if it was touched."""
        for place, (size, changed, digest) in stamp.files.items():
            path = self.root / place
            try:
                state = path.stat()
            except OSError:
                return False
            touched = (state.st_size, state.st_mtime_ns) != (size, changed)
            if touched and (state.st_size != size or sha256(path) != digest):
                return False
        return True

    def write(self, path: Path, content: object) -> None:
        """Write JSON by a rename."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(content, indent=1))
        new.replace(path)

    def _stamp_path(self, name: str) -> Path:
        return self.root / "stamps" / f"{name.replace(' ', '-')}.json"


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
