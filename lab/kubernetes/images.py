"""Container images made of single programs, without a builder: a tar archive in OCI's layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.machines.host import run

ARCHITECTURE = "amd64"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image: its name as manifests have it, its files and what it runs."""

    name: str
    files: Mapping[str, Path | bytes | str]
    """By place in the image: a file, its content, or what a link points to."""
    entrypoint: tuple[str, ...]
    user: str = "0"
    folders: tuple[str, ...] = ("tmp",)
    environment: Mapping[str, str] = field(default_factory=dict)

    def layer(self) -> bytes:
        """Return the files as a tar archive that is the same at every build."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for folder in self.folders:
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
                tar.addfile(entry)
            for place, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(place)
                if isinstance(content, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, content
                    tar.addfile(entry)
                    continue
                data = content if isinstance(content, bytes) else content.read_bytes()
                entry.size = len(data)
                entry.mode = 0o644 if isinstance(content, bytes) else 0o755
                tar.addfile(entry, io.BytesIO(data))
        return buffer.getvalue()


@dataclass(slots=True)
class Layout:
    """OCI's image layout: blobs by digest, and an index that names the images."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    index: list[dict[str, object]] = field(default_factory=list)

    def add(self, image: Image) -> str:
        """Add an image and return its manifest's digest."""
        layer = image.layer()
        config = {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "config": {
                "User": image.user,
                "Env": [
                    "PATH=/bin",
                    *(f"{name}={value}" for name, value in image.environment.items()),
                ],
                "Entrypoint": list(image.entrypoint),
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
        packed = gzip.compress(layer, compresslevel=1, mtime=0)
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self._blob("application/vnd.oci.image.config.v1+json", _json(config)),
            "layers": [self._blob("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
        }
        described = self._blob("application/vnd.oci.image.manifest.v1+json", _json(manifest))
        self.index.append(
            {
                **described,
                "platform": {"architecture": ARCHITECTURE, "os": "linux"},
                "annotations": {"io.containerd.image.name": full_name(image.name)},
            }
        )
        return str(described["digest"])

    def write(self, target: Path) -> None:
        """Write everything as one tar archive."""
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.index,
        }
        with tarfile.open(target, "w") as tar:
            _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _add(tar, "index.json", _json(index))
            for digest, content in sorted(self.blobs.items()):
                _add(tar, f"blobs/sha256/{digest.removeprefix('sha256:')}", content)

    def _blob(self, kind: str, content: bytes) -> dict[str, object]:
        digest = _digest(content)
        self.blobs[digest] = content
        return {"mediaType": kind, "digest": digest, "size": len(content)}


def full_name(name: str) -> str:
    """Return a name as containerd has it: with its registry."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def from_debian(base: Path, program: str) -> dict[str, Path | bytes | str]:
    """Return a program of a tree of Debian's, with the libraries that it loads, by place."""
    libraries = re.findall(r"(/\S+) \(0x", run("chroot", base, "ldd", program))
    return {place.lstrip("/"): base / place.lstrip("/") for place in (program, *libraries)}


def own_images(binaries: Path, debian: Path) -> list[Image]:
    """Return the images that a cluster of the lab runs, made of the toolchain's programs."""
    busybox = debian / "usr/bin/busybox"
    single = {
        "rancher/mirrored-pause:3.6": ("pause", "pause", "65535"),
        "rancher/mirrored-coredns-coredns:1.12.1": ("coredns", "coredns", "0"),
        "quay.io/metallb/controller:v0.15.2": ("metallb-controller", "controller", "0"),
        "quay.io/metallb/speaker:v0.15.2": ("metallb-speaker", "speaker", "0"),
    }
    images = [
        Image(
            name=name,
            files={command: binaries / program},
            entrypoint=(f"/{command}",),
            user=user,
        )
        for name, (program, command, user) in single.items()
        if (binaries / program).exists()
    ]
    shell = {f"bin/{name}": "busybox" for name in APPLETS}
    shells = [
        Image(name=name, files={"bin/busybox": busybox, **shell}, entrypoint=("/bin/sh",))
        for name in ("rancher/mirrored-library-busybox:1.36.1", "lab/debug:1")
    ]
    return images + shells


APPLETS = (
    "cat", "chmod", "cp", "date", "echo", "env", "grep", "head", "hostname", "httpd", "id", "ip",
    "ls", "mkdir", "mv", "nc", "nslookup", "ping", "printf", "ps", "rm", "sed", "seq", "sh",
    "sleep", "sync", "tail", "tee", "test", "touch", "wc", "wget",
)  # fmt: skip


def airgap_archive(target: Path, binaries: Path, debian: Path) -> None:
    """Write all images as the archive that K3s takes in at its start."""
    layout = Layout()
    for image in own_images(binaries, debian):
        layout.add(image)
    layout.write(target)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
