"""A way to a port that takes its time: a proxy in user space, for kernels without netem."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue

CHUNK = 1 << 16

# What has arrived, and when it is due on the other side; no bytes are the end of the stream.
Way = SimpleQueue[tuple[float, bytes]]


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """Give a local port that forwards to ``port``; everything comes ``seconds`` later, both ways.

    Only time is added: order is kept, and what was sent together arrives together, however much
    it is. The kernel accepts before the proxy knows, so that TCP's own handshake is the one round
    trip that costs nothing here.
    """
    proxy = _Proxy(port, seconds)
    try:
        yield proxy.port
    finally:
        proxy.close()


class _Proxy:
    def __init__(self, to: int, seconds: float) -> None:
        self._to = to
        self._seconds = seconds
        self._ends = ExitStack()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._lock = threading.Lock()
        self._listener = self._keep(socket.create_server(("127.0.0.1", 0)))
        self.port = int(self._listener.getsockname()[1])
        self._start(self._accept)

    def close(self) -> None:
        """End every connection and every thread."""
        with self._lock:
            self._closing = True
        self._ends.close()
        for thread in self._threads:
            thread.join()

    def _keep(self, end: socket.socket) -> socket.socket:
        """Close a socket at the end; shut down first, or who waits for it would wait on."""
        with self._lock:
            self._ends.callback(end.close)
            self._ends.callback(_shut, end)
            if self._closing:
                _shut(end)
        return end

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._keep(self._listener.accept()[0])
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._start(self._forward, near)

    def _forward(self, near: socket.socket) -> None:
        there: Way = SimpleQueue()
        back: Way = SimpleQueue()
        self._start(self._read, near, there)
        time.sleep(self._seconds)
        try:
            far = self._keep(socket.create_connection(("127.0.0.1", self._to)))
        except OSError:
            _shut(near)
            return
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start(self._read, far, back)
        self._start(_write, back, near)
        _write(there, far)

    def _read(self, end: socket.socket, way: Way) -> None:
        data = b"."
        while data:
            try:
                data = end.recv(CHUNK)
            except OSError:
                data = b""
            way.put((time.monotonic() + self._seconds, data))


def _write(way: Way, end: socket.socket) -> None:
    while True:
        due, data = way.get()
        time.sleep(max(due - time.monotonic(), 0))
        try:
            if not data:
                end.shutdown(socket.SHUT_WR)
                return
            end.sendall(data)
        except OSError:
            _shut(end)
            return


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
