"""The files that a release of K3s consists of, made here: `k3s`, its images and `install.sh`.

`k3s` is one program: the launcher of lab/k3s with a zip archive of all the others behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab.machines import BaseImage, PackageRepository
from lab.machines.built_once import built_once, logged
from lab.machines.host import run
from lab.machines.place import machines_cache
from toolchain.cache import Cache
from toolchain.cluster import KUBERNETES, cluster_tools

from .images import airgap_archive

INSTALL = Path(__file__).parents[1] / "k3s" / "install.sh"
PACKAGES = ("busybox-static", "containerd", "ipset", "iptables", "runc")
"""What comes from Debian; its versions are the suite's."""
COMPONENTS = (
    "etcd",
    "etcdutl",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
PLUGINS = ("bridge", "host-local", "loopback", "portmap")
TABLES = ("iptables", "iptables-restore", "iptables-save")
# The machine's own libraries serve; those that only come with these programs lie beside them.
WRAPPER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/lib" XTABLES_LIBDIR="$here/lib/xtables"
name=$(basename "$0")
case $name in
ipset) exec "$here/lib/ipset" "$@" ;;
*) exec "$here/xtables-nft-multi" "$name" "$@" ;;
esac
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One version of Kubernetes as a release of K3s."""

    kubernetes: str = KUBERNETES
    tools: Cache = field(default_factory=Cache.of_this_user)
    """Where the toolchain has put the programs (`python3 -m toolchain --cluster`)."""
    cache: Path | None = None
    """Where it is kept, if not in this user's cache."""
    title: str = "Kubernetes (STAND-IN for K3s)"

    @property
    def version(self) -> str:
        """Return it as K3s would call it."""
        return f"v{self.kubernetes}+k3s1"

    @property
    def folder(self) -> Path:
        """Return where its files are, whether it was built or not."""
        marks = [self.version, INSTALL.read_text(), WRAPPER, self._packages.folder.name]
        for tool in cluster_tools(self.kubernetes):
            stamp = self.tools.stamp(tool.name)
            if stamp is None:
                raise FileNotFoundError(
                    f"{tool.name} is missing: run `python3 -m toolchain --cluster` first"
                )
            marks += [digest for _, _, digest in stamp.files.values()]
        digest = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]
        return self._cache / f"k3s-{self.version.replace('.', '-')}-{digest}"

    @property
    def program(self) -> Path:
        """Return the file `k3s`."""
        return self.folder / "k3s"

    @property
    def images(self) -> Path:
        """Return the archive of images for machines without a registry."""
        return self.folder / "k3s-airgap-images-amd64.tar"

    def obtain(self) -> Path:
        """Return its folder, building it if this is the first time it is asked for."""
        folder = self.folder
        return folder if folder.exists() else built_once(folder, self._build)

    def settings(self) -> dict[str, object]:
        """Return what a stack file says of it (``coldstorage:kubernetes``)."""
        folder = self.obtain()
        digests = {file.name: _sha256(file) for file in (self.program, self.images)}
        metallb = self.tools.root / "cluster" / "metallb-native.yaml"
        return {
            "version": self.version,
            "mirror": str(folder),
            "sha256": digests,
            "metallb": {"place": str(metallb), "sha256": _sha256(metallb)},
        }

    @property
    def _cache(self) -> Path:
        return self.cache or machines_cache()

    @property
    def _packages(self) -> PackageRepository:
        return PackageRepository(
            packages=PACKAGES, image=BaseImage(cache=self.cache), cache=self.cache
        )

    def _build(self, folder: Path, log: IO[str]) -> None:
        packages = self._packages.obtain()
        debian = folder / "debian"
        for package in sorted(packages.glob("*.deb")):
            logged(log, "dpkg-deb", "--extract", package, debian)
        binaries = self.tools.root / "cluster"
        tree = folder / "tree"
        self._programs(tree / "bin", binaries, debian)
        _tables(tree / "bin/aux", debian)
        _pack(binaries / "k3s", tree, folder / "k3s", self.version, self._made())
        airgap_archive(folder / self.images.name, binaries, debian)
        shutil.copy(INSTALL, folder / "install.sh")
        shutil.copy(debian / "usr/bin/busybox", folder / "busybox")
        for part in (debian, tree):
            logged(log, "rm", "-rf", part)

    def _programs(self, target: Path, binaries: Path, debian: Path) -> None:
        target.mkdir(parents=True)
        kubernetes = target / "kubernetes"
        os.link(binaries / f"kubernetes-{self.kubernetes}", kubernetes)
        for name in COMPONENTS:
            (target / name).symlink_to("kubernetes")
        for name in ("flannel", "kube-router"):
            os.link(binaries / name, target / name)
        for name in PLUGINS:
            os.link(binaries / f"cni-{name}", target / name)
        for name in ("containerd", "containerd-shim-runc-v2", "ctr"):
            shutil.copy(debian / "usr/bin" / name, target)
        shutil.copy(debian / "usr/sbin/runc", target)

    def _made(self) -> dict[str, str]:
        versions = {tool.name: tool.version for tool in cluster_tools(self.kubernetes)}
        for package in self._packages.obtain().glob("*.deb"):
            name, version = run(
                "dpkg-deb", "--show", "--showformat=${Package} ${Version}", package
            ).split()
            if name in PACKAGES:
                versions[f"Debian's {name}"] = version
        return versions


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _tables(target: Path, debian: Path) -> None:
    (target / "lib").mkdir(parents=True)
    shutil.copy(debian / "usr/sbin/xtables-nft-multi", target)
    shutil.copy(debian / "usr/sbin/ipset", target / "lib")
    for name in (*TABLES, *(table.replace("ip", "ip6", 1) for table in TABLES), "ipset"):
        (target / name).write_text(WRAPPER)
        (target / name).chmod(0o755)
    libraries = debian / "usr/lib/x86_64-linux-gnu"
    for library in libraries.glob("*.so*"):
        shutil.copy(library, target / "lib")
    shutil.copytree(libraries / "xtables", target / "lib/xtables")


def _pack(launcher: Path, tree: Path, target: Path, version: str, made: dict[str, str]) -> None:
    shutil.copy(launcher, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_symlink():
                link = zipfile.ZipInfo(str(path.relative_to(tree)))
                link.create_system, link.external_attr = 3, 0o120777 << 16
                archive.writestr(link, str(path.readlink()))
            elif path.is_file():
                archive.write(path, path.relative_to(tree))
        contents = "".join(
            f"{info.filename} {info.CRC:x} {info.file_size}\n" for info in archive.filelist
        )
        digest = hashlib.sha256(contents.encode()).hexdigest()
        archive.comment = json.dumps({"version": version, "digest": digest, "made": made}).encode()
    target.chmod(0o755)
