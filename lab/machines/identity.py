"""What makes a machine its own at its first start, as cloud-init would: name, address, user."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from .host import run
from .package_repository import SOURCE

CLOUD_INIT = Path(__file__).with_name("cloud-init.sh")
NETWORK = """\
[Match]
Name=eth0

[Network]
Address={address}
Gateway={gateway}
LinkLocalAddressing=no
IPv6AcceptRA=no
"""

USER = """\
id "{user}" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "{user}"
echo "{user} ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/90-lab
chmod 440 /etc/sudoers.d/90-lab
install -d -m 700 -o "{user}" -g "{user}" "/home/{user}/.ssh"
install -m 600 -o "{user}" -g "{user}" /.authorized_keys "/home/{user}/.ssh/authorized_keys"
rm /.authorized_keys
"""


def mac_of(lab_id: str, name: str) -> str:
    """Return the hardware address of a machine that was given none: always the same."""
    digest = hashlib.sha256(f"{lab_id}/{name}".encode()).hexdigest()
    return "02:" + ":".join(digest[i : i + 2] for i in range(0, 10, 2))


def write(
    tree: Path,
    *,
    name: str,
    machine_id: str,
    address: IPv4Interface,
    gateway: IPv4Address,
    dns: tuple[IPv4Address, ...],
    user: str | None,
    own_key: str,
    authorized_keys: tuple[str, ...],
    packages: bool,
) -> None:
    """Write the files that are copied onto the machine's root, and what is run there after.

    A key is for the user, if there is one, and else for root; the lab's own opens both.
    """
    keys = "".join(f"{key.strip()}\n" for key in (own_key, *authorized_keys))
    other = user if user and user != "root" else None
    files = {
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n{address.ip} {name}\n::1 localhost ip6-localhost\n",
        "etc/machine-id": f"{machine_id}\n",
        "etc/resolv.conf": "".join(f"nameserver {server}\n" for server in dns),
        "etc/systemd/network/10-eth0.network": NETWORK.format(address=address, gateway=gateway),
        "root/.ssh/authorized_keys": f"{own_key.strip()}\n" if other else keys,
        "usr/bin/cloud-init": CLOUD_INIT.read_text(),
        "var/lib/cloud/instance/boot-finished": "STAND-IN\n",
        ".first-start.sh": USER.format(user=other) if other else "",
    }
    if other:
        files[".authorized_keys"] = keys
    if packages:
        files["etc/apt/sources.list"] = SOURCE
    for place, text in files.items():
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        (tree / place).write_text(text)
    key = tree / "etc/ssh/ssh_host_ed25519_key"
    key.parent.mkdir(exist_ok=True)
    if not key.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
    _set_modes(tree)


def _set_modes(tree: Path) -> None:
    # Copied with their modes onto the machine's own folders, whatever our umask was.
    secret = {tree / "root", tree / "root/.ssh"}
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700 if path in secret else 0o755)
        else:
            hidden = path.name.endswith(("authorized_keys", "_key"))
            program = path.name == "cloud-init"
            path.chmod(0o600 if hidden else 0o755 if program else 0o644)
