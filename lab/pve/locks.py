"""One operation on a VM at a time; who waits too long is refused in Proxmox's words."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from .refused import Refused


class Locks:
    """A lock for each VM."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """How long one waits for another."""
        self._guard = threading.Lock()
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def held(self, vm_id: int) -> Iterator[None]:
        """Be the only one at work on a VM."""
        with self._guard:
            lock = self._locks[vm_id]
        if not lock.acquire(timeout=self.seconds):
            raise Refused(
                f"can't lock file '/var/lock/qemu-server/lock-{vm_id}.conf' - got timeout"
            )
        try:
            yield
        finally:
            lock.release()
