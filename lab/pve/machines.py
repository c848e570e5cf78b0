"""VMs that are machines of the lab: real Debian systems, each with its disks and its address.

STAND-IN: whatever image a VM was imported from, it starts from the lab's own Debian; what
cloud-init would do is done before the first start. A changed cloud-init drive is not read again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.kubernetes import PLAIN_FOLDERS, machine_options
from lab.machines import Machine, MachineArgs, Place, Volume
from lab.machines.host import HostError

from .blueprint import Blueprint, blueprint_of
from .drives import drives_of
from .hardware import Log
from .records import Disk, Vm
from .refused import Refused

COMES_UP_WITHIN_SECONDS = 30
_EVERY_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Machines:
    """The hardware of a cluster whose VMs are machines of one lab."""

    place: Place
    image: Path
    """Folder of the base image."""
    packages: Path | None = None
    """Folder of the package repository, if apt in the machines is to find one."""
    nodes: frozenset[str] = frozenset()
    """Names of the machines that Kubernetes is to run on."""

    def machine(self, vm: Vm) -> Machine:
        """Return the machine that a VM is, whether it was ever started or not."""
        return Machine(self.place, vm.machine or vm.name)

    def allocate(self, volume: str, gib: float) -> None:
        """Make an empty disk, as blank as a real one."""
        disk = self._volume(volume)
        disk.delete()  # of a process that ended before it had written down what it did
        disk.create(gib, formatted=False)

    def grow(self, vm: Vm, volume: str, gib: float) -> None:
        """Make a disk larger; of a root disk that is not there yet only the size is known."""
        disk = self._volume(volume)
        if not disk.exists and vm.machine:
            disk = self.machine(vm).root
        if disk.exists:
            disk.grow(gib)

    def free(self, volume: str) -> None:
        """Remove a disk; root disks go with their machines."""
        self._volume(volume).delete()

    def running(self, vm: Vm) -> bool:
        """Tell whether its power is on."""
        return bool(vm.machine) and self.machine(vm).running

    def paused(self, vm: Vm) -> bool:
        """Tell whether it is stopped between two instructions."""
        return bool(vm.machine) and self.machine(vm).paused

    def start(self, vm: Vm, volumes: Mapping[str, Disk], log: Log) -> None:
        """Turn a VM on; return when its own first process runs."""
        wanted, machine = blueprint_of(vm, volumes), self.machine(vm)
        with _told():
            machine.create(self._args(machine, wanted))
            if machine.root.size < wanted.root_gib * (1 << 30):
                machine.root.grow(wanted.root_gib)
            machine.boot()
            log(f"STAND-IN: a machine of the lab, not {wanted.image}, boots as {wanted.name}")
            _see_it_on(machine)

    def stop(self, vm: Vm) -> None:
        """Take its power away: what was not synced is lost."""
        if vm.machine:
            self.machine(vm).power_cut()

    def shut_down(self, vm: Vm, seconds: float) -> None:
        """Have it shut down as by its power button."""
        if vm.machine:
            self.machine(vm).power_off(seconds)

    def pause(self, vm: Vm) -> None:
        """Stop it between two instructions."""
        self.machine(vm).pause()

    def resume(self, vm: Vm) -> None:
        """Let it go on."""
        self.machine(vm).resume()

    def destroy(self, vm: Vm) -> None:
        """Remove the machine with its root disk and what it knew."""
        if vm.machine:
            self.machine(vm).delete()

    def snapshot(self, vm: Vm, name: str) -> None:
        """Keep all its disks as they are in one moment, with what the guest had not synced yet."""
        with _told(), self.machine(vm).still():
            for disk in self._disks(vm):
                disk.snapshot(_mark(vm, name))

    def roll_back(self, vm: Vm, name: str) -> None:
        """Put all its disks back; a machine that was not there yet starts anew."""
        root = self.machine(vm).root
        if root.exists and not root.has_snapshot(_mark(vm, name)):
            self.machine(vm).delete()
        for disk in self._disks(vm):
            disk.roll_back(_mark(vm, name))

    def delete_snapshot(self, vm: Vm, name: str) -> None:
        """Forget how its disks were."""
        for disk in self._disks(vm):
            disk.delete_snapshot(_mark(vm, name))

    def ask_agent(self, vm: Vm, question: str) -> object:
        """Ask the machine itself."""
        try:
            if question == "network-get-interfaces":
                return _interfaces(self.machine(vm).execute("ip", "-json", "address"))
            if question == "get-host-name":
                return {"host-name": self.machine(vm).execute("hostname").strip()}
            self.machine(vm).execute("true")
        except HostError as error:
            raise Refused("QEMU guest agent is not running") from error
        return {}

    def _args(self, machine: Machine, wanted: Blueprint) -> MachineArgs:
        node = machine.name in self.nodes
        hardware = {
            "mac": wanted.mac,
            "disks": {device: self._volume(v).file for device, v in wanted.data.items()},
            "packages": self.packages,
            "plain_folders": PLAIN_FOLDERS if node else (),
            "nspawn_options": machine_options() if node else (),
        }
        if machine.exists:  # it is what its first start made it, on the image of that day
            return machine.args.model_copy(update=hardware)
        return MachineArgs(
            name=wanted.name,
            address=wanted.address,
            gateway=wanted.gateway,
            dns=wanted.dns,
            user=wanted.user,
            authorized_keys=wanted.authorized_keys,
            root_gib=wanted.root_gib,
            image=self.image,
            **hardware,
        )

    def _disks(self, vm: Vm) -> list[Volume]:
        data = [self._volume(drive.volume) for _, drive in drives_of(vm.config) if drive.is_disk]
        return [disk for disk in [self.machine(vm).root, *data] if disk.exists]

    def _volume(self, volume: str) -> Volume:
        storage, _, path = volume.partition(":")
        return Volume(self.place.volume(f"{storage}-{Path(path).stem}"))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (HostError, OSError, ValueError) as error:
        raise Refused(f"start failed: {error}") from error


def _see_it_on(machine: Machine) -> None:
    deadline = time.monotonic() + COMES_UP_WITHIN_SECONDS
    while machine.running:
        try:
            _ = machine.pid
        except HostError:
            if time.monotonic() > deadline:
                machine.power_cut()
                raise HostError(f"{machine.name}: did not come up") from None
            time.sleep(_EVERY_SECONDS)
        else:
            return
    raise HostError(f"{machine.name}: went off while starting:\n{machine.console()}")


def _mark(vm: Vm, name: str) -> str:
    return f"{vm.vm_id}-{name}"


def _interfaces(said: str) -> list[dict[str, object]]:
    return [
        {
            "name": link["ifname"],
            "hardware-address": link.get("address", "00:00:00:00:00:00"),
            "ip-addresses": [
                {
                    "ip-address": a["local"],
                    "ip-address-type": "ipv6" if a["family"] == "inet6" else "ipv4",
                    "prefix": a["prefixlen"],
                }
                for a in link["addr_info"]
            ],
        }
        for link in json.loads(said)
    ]
