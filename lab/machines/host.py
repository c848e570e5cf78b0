"""Commands of the computer that the lab runs on, and the packages that bring them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

DEBIAN = Path(__file__).resolve().parents[2] / "toolchain" / "debian.sh"

PACKAGES = {
    "apt-ftparchive": "apt-utils",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class HostError(RuntimeError):
    """A command of the computer failed; the message holds what it said."""


def run(*command: str | Path, text: str | None = None, seconds: float = 600) -> str:
    """Run a command and return what it said; raise with what it complained about."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=text, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise HostError(f"{' '.join(words)}: not done after {seconds:g} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise HostError(f"{' '.join(words)}: exit {done.returncode}: {said}")
    return done.stdout


def have_commands(names: Sequence[str] = tuple(PACKAGES)) -> None:
    """Have the commands that machines need, installing what is missing; or say who has to."""
    if os.geteuid() != 0:
        raise HostError("the lab's machines need root: namespaces, mounts, systemd-nspawn")
    for package in {PACKAGES[name] for name in names if not shutil.which(name)}:
        run("sh", DEBIAN, package)


def have_keyring() -> None:
    """Have the keys that Debian's archive is signed with."""
    if not KEYRING.exists():
        run("sh", DEBIAN, "debian-archive-keyring")


def mirror() -> str:
    """Return the Debian archive that this computer's own apt uses."""
    known = run("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)")
    for line in known.splitlines():
        origin, label, uri = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return uri.rstrip("/")
    raise HostError("apt on this computer knows no Debian archive: expected one in its sources")
