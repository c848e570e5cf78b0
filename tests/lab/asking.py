"""A worker asked as the provider would ask it, from inside a lab's network."""

from __future__ import annotations

import asyncio

from lab.machines import Machine
from lab.machines.access import lab_key
from lab.machines.network import NAMESPACES, entered
from pulumi_pyinfra.protocol import Event, Request, Ssh
from pulumi_pyinfra.worker_process import Worker
from tests.lab.machines.conftest import Lab


def ask(lab: Lab, request: Request, seconds: float) -> list[Event]:
    """Return all that a worker says to a request."""

    async def listen() -> list[Event]:
        worker = Worker()
        try:
            return [event async for event in worker.events(request)]
        finally:
            if worker.free:
                await worker.close()

    with entered(NAMESPACES / lab.place.namespace):
        return asyncio.run(asyncio.wait_for(listen(), seconds))


def ssh_to(lab: Lab, machine: Machine) -> Ssh:
    """Return how a worker reaches a machine."""
    address, host_key, *_ = (machine.folder / "known_hosts").read_text().split(maxsplit=1)
    return Ssh(
        address=address,
        user="root",
        private_key=lab_key(lab.place).read_text(),
        host_keys=(" ".join(host_key.split()[:2]),),
    )
