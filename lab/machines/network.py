"""The lab's network: a bridge in a network namespace of its own, and how the host gets in there.

The namespace has no way out and the host has none of its addresses: nothing outside reaches it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from .host import HostError, run
from .place import Place

BRIDGE = "br0"
NAMESPACES = Path("/run/netns")
TABLE = "faults"
_CLONE_NEWNET = 0x40000000
_LONGEST_NAME = 15


def port(machine: str) -> str:
    """Return the name of the bridge's port for a machine; fault rules speak of it."""
    if len(machine) <= _LONGEST_NAME:
        return machine
    return f"{machine[:8]}-{sha256(machine.encode()).hexdigest()[:6]}"


@dataclass(frozen=True, slots=True)
class Network:
    """The network of a lab; any process may use it that knows the lab's place."""

    place: Place

    @property
    def exists(self) -> bool:
        """Tell whether it is there."""
        return (NAMESPACES / self.place.namespace).exists()

    def up(self, gateway: IPv4Interface) -> None:
        """Make it, with the stack's gateway as the bridge's address; finish what was begun."""
        with self.place.locked():
            if not self.exists:
                run("ip", "netns", "add", self.place.namespace)
            if BRIDGE not in self.links():
                self.ip("link", "add", BRIDGE, "type", "bridge")
            self.ip("address", "replace", str(gateway), "dev", BRIDGE)
            self.ip("link", "set", BRIDGE, "up")
            self.ip("link", "set", "lo", "up")
            # So that whoever wants to the internet is told at once that there is no way.
            self.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            self.nft(
                f"add table bridge {TABLE}",
                *(
                    f"add chain bridge {TABLE} {hook} "
                    f"{{ type filter hook {hook} priority 0; policy accept; }}"
                    for hook in ("input", "forward", "output")
                ),
            )

    def down(self) -> None:
        """Remove it with all that is in it."""
        if self.exists:
            run("ip", "netns", "delete", self.place.namespace)

    def links(self) -> set[str]:
        """Return the names of its network devices."""
        said = run("ip", "-n", self.place.namespace, "-br", "link")
        return {line.split()[0].partition("@")[0] for line in said.splitlines()}

    def command(self, *command: str) -> list[str]:
        """Return the command line that runs a command inside the network.

        It is not ``ip netns exec``, which would hide the cgroups.
        """
        return ["nsenter", f"--net={NAMESPACES / self.place.namespace}", "--", *command]

    def run(self, *command: str, text: str | None = None) -> str:
        """Run a command inside the network."""
        return run(*self.command(*command), text=text)

    def ip(self, *words: str) -> None:
        """Change an address or a device of the network."""
        run("ip", "-n", self.place.namespace, *words)

    def nft(self, *lines: str) -> str:
        """Apply lines of nft at once, all or none."""
        return self.run("nft", "-a", "-e", "-f", "-", text="\n".join(lines) + "\n")

    def cut(self, machine: str) -> None:
        """Pull a machine's cable for good; its namespace might go on sending after its death."""
        with contextlib.suppress(HostError):
            self.ip("link", "delete", port(machine))

    def block(self, machine: str, *, blocked: bool) -> None:
        """Have a machine's port pass nothing, or all again; the machine sees no loss of carrier."""
        state = "0" if blocked else "3"
        run("bridge", "-n", self.place.namespace, "link", "set", "dev", port(machine),
            "state", state)  # fmt: skip

    def connect(self, address: IPv4Address, number: int, seconds: float) -> socket.socket:
        """Return a connection that was made from inside the network."""
        with entered(NAMESPACES / self.place.namespace):
            return socket.create_connection((str(address), number), timeout=seconds)


@contextlib.contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """Be in a network namespace, with this thread alone; sockets made there stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as here, namespace.open() as there:
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(namespace))
        try:
            yield
        finally:
            if libc.setns(here.fileno(), _CLONE_NEWNET):
                os.abort()  # nothing that this thread did next would be where it believes
