"""How the lab gets into its machines by SSH: with a key of its own, knowing each host key."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
from pathlib import Path

from .host import run
from .network import Network
from .place import Place

SSH_PORT = 22
_EVERY_SECONDS = 0.02


def lab_key(place: Place) -> Path:
    """Return the private key that opens every machine of a lab, made at the first call."""
    key = place.folder / "ssh_key"
    with place.locked():
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", place.namespace, "-f", key)
    return key


def ssh_command(
    network: Network, address: IPv4Address, known_hosts: Path, user: str, *command: str
) -> list[str]:
    """Return the command line that runs a command on a machine, from inside the network."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "5",
        "GlobalKnownHostsFile": "none",
        "IdentitiesOnly": "yes",
        "LogLevel": "ERROR",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts),
    }
    words = [f"-o{name}={value}" for name, value in options.items()]
    key = str(lab_key(network.place))
    return network.command("ssh", "-F", "none", "-i", key, *words, f"{user}@{address}", *command)


def answers(network: Network, address: IPv4Address, seconds: float) -> bool:
    """Tell whether an SSH server greets at an address."""
    try:
        with network.connect(address, SSH_PORT, seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def listens(pid: int) -> bool:
    """Tell whether an SSH server is up in a machine, asked from inside its own namespace.

    Asked over the bridge, a question that comes before the machine knows its address would
    cost a second, until it is repeated.
    """
    wanted = f"{SSH_PORT:04X}"
    try:
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()
        lines += Path(f"/proc/{pid}/net/tcp6").read_text().splitlines()
    except OSError:
        return False
    words = [line.split() for line in lines]
    return any(word[1].endswith(f":{wanted}") and word[3] == "0A" for word in words)


def pause_between_looks(deadline: float) -> bool:
    """Wait a moment before the next look; tell whether there is time for one."""
    time.sleep(_EVERY_SECONDS)
    return time.monotonic() < deadline
