"""Distance: a machine whose every packet takes its time, where the kernel has no netem.

The frames of its card are carried by this process, so that TCP's handshake is delayed as well.
Needs a kernel that renames a device which is up (6.2 or later).
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

from .host import HostError
from .machine import Machine
from .network import BRIDGE, NAMESPACES, Network, entered, port

_SIOCETHTOOL, _SET_TX_CHECKSUM, _SET_TSO = 0x8946, 0x17, 0x1F
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23
_EVERY_PROTOCOL = 3
_LONGEST_FRAME = 1 << 16

# What was read, and when it is due; nothing is the end.
Way = SimpleQueue[tuple[float, bytes] | None]


@contextmanager
def delayed(machine: Machine, seconds: float) -> Iterator[None]:
    """Have everything arrive later by ``seconds``, to the machine and from it."""
    network, name = machine.network, port(machine.name)
    wire, end = _names(name)
    inside = Path(f"/proc/{machine.pid}/ns/net")
    # The new port has the old one's name: other faults are told by it.
    network.ip("link", "set", name, "name", wire)
    try:
        network.ip("link", "set", wire, "nomaster")
        network.ip("link", "add", name, "type", "veth", "peer", "name", end)
        for device in (wire, end):
            network.run("sysctl", "-q", "-w", f"net.ipv4.conf.{device}.arp_ignore=8")
            network.ip("link", "set", device, "up")
        network.ip("link", "set", name, "master", BRIDGE, "up")
        _offload(NAMESPACES / network.place.namespace, name, on=False)
        _offload(inside, "eth0", on=False)
        with _carried(network, wire, end, seconds):
            yield
    finally:
        straighten(network, machine.name)
        with suppress(OSError):  # it may be off
            _offload(inside, "eth0", on=True)


def straighten(network: Network, machine: str) -> None:
    """Give a machine its own cable back, if there is a detour."""
    name = port(machine)
    wire, _ = _names(name)
    if wire in network.links():
        network.cut(machine)
        with suppress(HostError):  # it may go off meanwhile
            network.ip("link", "set", wire, "name", name)
            network.ip("link", "set", name, "master", BRIDGE, "up")


def _names(name: str) -> tuple[str, str]:
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"wire{digest}", f"end{digest}"


@contextmanager
def _carried(network: Network, wire: str, end: str, seconds: float) -> Iterator[None]:
    stop = threading.Event()
    ways: tuple[Way, Way] = (SimpleQueue(), SimpleQueue())
    with entered(NAMESPACES / network.place.namespace):
        near, far = _tap(wire), _tap(end)
    with near, far:
        threads = [
            threading.Thread(target=work, args=arguments, daemon=True)
            for work, arguments in (
                (_read, (near, ways[0], seconds, stop)),
                (_read, (far, ways[1], seconds, stop)),
                (_write, (ways[0], far)),
                (_write, (ways[1], near)),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _tap(device: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    tap.settimeout(0.1)
    tap.bind((device, _EVERY_PROTOCOL))
    return tap


def _read(tap: socket.socket, way: Way, seconds: float, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(OSError):
            frame = tap.recv(_LONGEST_FRAME)
            way.put((time.monotonic() + seconds, frame))
    way.put(None)


def _write(way: Way, tap: socket.socket) -> None:
    while (item := way.get()) is not None:
        due, frame = item
        time.sleep(max(due - time.monotonic(), 0))
        with suppress(OSError):  # as on any cable, what cannot be sent is lost
            tap.send(frame)


def _offload(namespace: Path, device: str, *, on: bool) -> None:
    """Have the kernel finish frames before a device, or leave that to it as is usual."""
    with entered(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for setting in (_SET_TX_CHECKSUM, _SET_TSO):
            value = ctypes.create_string_buffer(struct.pack("II", setting, int(on)))
            request = struct.pack("16sQ16x", device.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
