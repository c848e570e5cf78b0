"""The emulated Proxmox under a tier: its VMs are the tier's machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from lab.machines.network import BRIDGE, NAMESPACES, entered
from lab.pve.api import api
from lab.pve.cluster import Cluster
from lab.pve.failures import Failure, How
from lab.pve.hardware import NoHardware
from lab.pve.records import Vm
from lab.serve import Authority, Served, serving
from tests.lab.machines.conftest import MACHINES, STACK

from .tier import Tier

ADDRESS = urlsplit(STACK["coldstorage:proxmox"]["endpoint"]).hostname
PORT = 8006
NODE = "pve"
TOKEN = "fencing@pve!database=00000000-0000-0000-0000-00000000f00d"
VM_IDS = {name: machine["proxmox"]["vm_id"] for name, machine in MACHINES.items()}


class Powered(NoHardware):
    """VMs whose power is that of machines."""

    def __init__(self, tier: Tier) -> None:
        super().__init__()
        self._machines = {VM_IDS[machine.name]: machine for machine in tier.machines}

    def running(self, vm: Vm) -> bool:
        return self._machines[vm.vm_id].running

    def stop(self, vm: Vm) -> None:
        self._machines[vm.vm_id].power_cut()


@dataclass
class Platform:
    """What the witnesses of a tier are told of, and what they asked of it."""

    tier: Tier
    folder: Path
    calls: list[str] = field(default_factory=list)
    _app: FastAPI | None = None
    _served: Served | None = None
    _serving: ExitStack = field(default_factory=ExitStack)

    def on(self) -> None:
        """Answer at the address of the stack's Proxmox."""
        network = self.tier.lab.network
        network.ip("address", "replace", f"{ADDRESS}/32", "dev", BRIDGE)
        vms = {VM_IDS[m.name]: Vm(vm_id=VM_IDS[m.name], node=NODE) for m in self.tier.machines}
        cluster = Cluster(nodes=(NODE,), hardware=Powered(self.tier))
        cluster.records.vms |= vms
        app = api(cluster, "nobody", power={TOKEN: frozenset(vms)})
        app.state.calls, self._app = self.calls, app
        with entered(NAMESPACES / self.tier.lab.place.namespace):  # threads stay where they began
            self._served = self._serving.enter_context(
                serving(app, "proxmox", Authority(self.folder), str(ADDRESS), PORT)
            )

    def off(self) -> None:
        """Answer nobody: a port that is closed."""
        self._serving.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be away for a while."""
        self.off()
        try:
            yield
        finally:
            self.on()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Answer whoever would stop a VM with an error."""
        assert self._app
        failure = Failure(how=How.REFUSED, call="status/stop", times=1000)
        with self._app.state.failures.asked(failure):
            yield

    @property
    def stops(self) -> list[str]:
        """Return the names of the machines whose power was asked to be taken, in order."""
        names = {f"POST /nodes/{NODE}/qemu/{VM_IDS[n]}/status/stop": n for n in self.tier.names}
        return [names[call] for call in self.calls if call in names]

    def told(self) -> dict[str, Any]:
        """Return what the machines are told."""
        assert self._served
        return {
            "hypervisor": {
                "endpoint": self._served.endpoint,
                "fingerprint": self._served.fingerprint,
                "token": TOKEN,
                "machines": {
                    m.name: {"node": NODE, "vm_id": VM_IDS[m.name]} for m in self.tier.machines
                },
            }
        }
