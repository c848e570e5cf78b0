"""Who holds the address and who leads, asked five times a second inside each machine.

Each machine is asked from its own network namespace: no fault of the network is in the way.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.machines import Machine
from lab.machines.host import HostError
from lab.machines.network import entered

EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """One machine at one moment; nothing where it does not run or does not answer."""

    at: float
    machine: str
    holds: bool
    leads: bool | None


@dataclass
class Sampler:
    """A thread for each machine."""

    machines: list[Machine]
    address: str
    context: ssl.SSLContext
    samples: list[Sample] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Sampler]:
        self._stop.clear()
        threads = [
            threading.Thread(target=self._sample, args=(machine,), daemon=True)
            for machine in self.machines
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(10)

    def _sample(self, machine: Machine) -> None:
        while not self._stop.is_set():
            with suppress(HostError, OSError):
                pid = machine.pid
                with entered(Path(f"/proc/{pid}/ns/net")):
                    self._while_it_runs(machine, pid)
            self._keep(machine, holds=False, leads=None)
            self._stop.wait(EVERY_SECONDS)

    def _while_it_runs(self, machine: Machine, pid: int) -> None:
        where = str(machine.args.address.ip)
        patroni = http.client.HTTPSConnection(where, 8008, timeout=1, context=self.context)
        with closing(patroni):
            while not self._stop.is_set() and Path(f"/proc/{pid}").exists():
                if machine.paused:  # it has the address, and answers nobody
                    self._keep(machine, holds=False, leads=None)
                else:
                    self._keep(machine, holds=_holds(self.address), leads=_leads(patroni))
                self._stop.wait(EVERY_SECONDS)

    def _keep(self, machine: Machine, *, holds: bool, leads: bool | None) -> None:
        self.samples.append(Sample(time.monotonic(), machine.name, holds, leads))

    def moments(self) -> Iterator[tuple[float, dict[str, Sample]]]:
        """Yield what was last known of each machine, whenever something was learnt."""
        known: dict[str, Sample] = {}
        for sample in sorted(self.samples, key=lambda sample: sample.at):
            known[sample.machine] = sample
            if len(known) == len(self.machines):
                yield sample.at, dict(known)

    def seconds(self, *, since: float = 0) -> dict[str, float]:
        """Return how long each thing that must not be has lasted, and the address was nowhere."""
        told = {"two holders": 0.0, "holder does not lead": 0.0, "no holder": 0.0}
        worst = dict(told)
        before: float | None = None
        for at, known in self.moments():
            if at < since:
                continue
            passed = at - before if before is not None else 0.0
            before = at
            holders = [s for s in known.values() if s.holds]
            now = {
                "two holders": len(holders) > 1,
                "holder does not lead": any(s.leads is not True for s in holders),
                "no holder": not holders,
            }
            for what, true in now.items():
                told[what] = told[what] + passed if true else 0.0
                worst[what] = max(worst[what], told[what])
        return {what: round(seconds, 2) for what, seconds in worst.items()}

    def holder(self) -> str | None:
        """Return who holds the address now."""
        *_, (_, known) = self.moments()
        return next((name for name, sample in known.items() if sample.holds), None)


def _holds(address: str) -> bool:
    # A network without any route yet, of a machine that boots, lets one bind to everything.
    return _binds(address) and not _binds("192.0.2.1")


def _binds(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _leads(patroni: http.client.HTTPSConnection) -> bool | None:
    try:
        patroni.request("GET", "/primary")
        response = patroni.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        patroni.close()
        return None
    return response.status == http.client.OK
