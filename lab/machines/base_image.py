"""The Debian system that every machine starts from; machines only ever read it.

It is named by a digest of what it is made of, so that a changed recipe is another image.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .built_once import built_once, logged
from .host import KEYRING, have_commands, have_keyring, mirror
from .place import machines_cache

PACKAGES = (
    "ca-certificates",
    "curl",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "iputils-ping",
    "kmod",
    "libpam-systemd",
    "netbase",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
)

# systemd leaves out fstab's devices in a container, where there is no udev; a real machine
# mounts them, and so does this one.
FSTAB_UNIT = """\
[Unit]
Description=Mount what /etc/fstab says
DefaultDependencies=no
After=systemd-tmpfiles-setup-dev.service systemd-remount-fs.service
Before=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/mount --all

[Install]
WantedBy=local-fs.target
"""

# A machine's own: its keys and its name are made at its first start. The marks of an update
# spare every machine what systemd does after one. Nothing calls out to the internet on its own.
FINISH = """\
set -e
rm -f /etc/ssh/ssh_host_*_key* /etc/hostname /etc/resolv.conf /etc/machine-id
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
systemctl enable systemd-networkd.service fstab.service
systemctl disable systemd-networkd-wait-online.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer systemd-network-generator.service
journalctl --update-catalog
ldconfig
touch /etc/.updated /var/.updated
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseImage:
    """What a base image is made of; extra packages are baked in, their services enabled or not."""

    suite: str = "trixie"
    packages: tuple[str, ...] = PACKAGES
    cache: Path | None = None
    """Where it is kept, if not in this user's cache."""

    @property
    def folder(self) -> Path:
        """Return where its files are, whether it was built or not."""
        recipe = "\n".join([self.suite, *sorted(self.packages), FSTAB_UNIT, FINISH])
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        return (self.cache or machines_cache()) / f"base-{self.suite}-{digest}"

    def obtain(self) -> Path:
        """Return its folder, building it if this is the first time it is asked for."""
        return self.folder if self.folder.exists() else built_once(self.folder, self._build)

    def _build(self, folder: Path, log: IO[str]) -> None:
        have_commands()
        have_keyring()
        logged(
            log,
            "debootstrap",
            "--variant=minbase",
            f"--keyring={KEYRING}",
            "--force-check-gpg",
            f"--include={','.join(sorted(self.packages))}",
            self.suite,
            folder,
            mirror(),
            apart=True,
        )
        (folder / "etc/systemd/system/fstab.service").write_text(FSTAB_UNIT)
        logged(log, "chroot", folder, "sh", "-c", FINISH, apart=True)
