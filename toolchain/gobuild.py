"""Builds from Go modules: the makers' own (with a go.mod of ours) and our stand-ins.

Modules come through whatever proxy the machine's Go is set to, and Go's checksum database stays
on. The build cache is the run's own and is deleted after it: shared ones grew to tens of GB.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .cache import Cache
from .sources import Say
from .tool import ROOT, GoBuild, SourceError, Tool

NEEDED_BYTES = 6 * 1024**3
"""Sources and build cache of the largest set of tools took 5 GB."""

HEARTBEAT_SECONDS = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class FromGo:
    """Builds the package that one field of a tool names."""

    name: str
    field: str
    """`module` or `standin`."""
    cache: Cache
    root: Path = ROOT

    def offers(self, tool: Tool) -> bool:
        """Tell whether the tool has such a package."""
        return getattr(tool, self.field) is not None

    def recipe(self, tool: Tool) -> str:
        """Return a digest of the package's own sources and of its entry in the catalogue."""
        build = self._build(tool)
        digest = hashlib.sha256(repr(build).encode())
        for path in self._sources(build):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def obtain(self, tool: Tool, staging: Path, say: Say) -> Mapping[str, Path]:
        """Return the binary and the files that go beside it."""
        build = self._build(tool)
        go = self._ready()
        binary = staging / "binary"
        version = build.version_prefix + tool.version
        say(f"building {build.package} in {build.directory}")
        # Debugging data would be thrown away by -s -w; not making it saves time.
        flags = ["-trimpath", "-gcflags=all=-dwarf=false"]
        linked = f"-s -w -X {build.version_variable}={version}"
        command = [go, "build", *flags, "-ldflags", linked, "-o", str(binary), build.package]
        self._run(command, build, staging, say)
        files = {build.output: binary}
        for place, (module, path) in build.copies.items():
            folder = self._run([go, "list", "-m", "-f", "{{.Dir}}", module], build, staging, say)
            files[place] = staging / Path(path).name
            shutil.copyfile(Path(folder.strip()) / path, files[place])
        return files

    def _build(self, tool: Tool) -> GoBuild:
        build: GoBuild = getattr(tool, self.field)
        return build

    def _sources(self, build: GoBuild) -> Iterator[Path]:
        for part in build.made_of:
            start = self.root / build.directory / part
            found = sorted(start.rglob("*")) if start.is_dir() else [start]
            yield from (path for path in found if path.is_file())

    def _ready(self) -> str:
        go = shutil.which("go")
        if go is None:
            raise SourceError("no go command (https://go.dev/dl/ or your distribution's package)")
        free = shutil.disk_usage(self.cache.root).free
        if free < NEEDED_BYTES:
            raise SourceError(
                f"{self.cache.root} has {free / 1024**3:.1f} GB free, "
                f"a build needs {NEEDED_BYTES / 1024**3:.0f}"
            )
        return go

    def _run(self, command: list[str], build: GoBuild, staging: Path, say: Say) -> str:
        """Run go with our settings; say now and then that it still works."""
        environment = os.environ | {
            "GOFLAGS": "-mod=readonly",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
            "GOCACHE": str(build_cache(self.cache)),
        }
        log = staging / "log"
        with log.open("w") as errors, (staging / "out").open("w+") as out:
            process = subprocess.Popen(
                command,
                cwd=self.root / build.directory,
                env=environment,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
            started = time.monotonic()
            try:
                while True:
                    try:
                        process.wait(HEARTBEAT_SECONDS)
                        break
                    except subprocess.TimeoutExpired:
                        say(f"... {time.monotonic() - started:.0f} s, go is at work")
            finally:
                if process.poll() is None:  # Interrupted: compilers must not outlive us.
                    os.killpg(process.pid, signal.SIGTERM)
                    process.wait()
            out.seek(0)
            answer = out.read()
        if process.returncode:
            lines = [line for line in log.read_text().splitlines() if "downloading" not in line]
            raise SourceError("; ".join(lines[-3:]) or f"go ended with {process.returncode}")
        return answer


def build_cache(cache: Cache) -> Path:
    """Return where the builds of a run keep what they share."""
    return cache.root / "go-build"
