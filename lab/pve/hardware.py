"""What VMs are made of: nothing at all, or machines; the cluster does not know which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from .records import Disk, Vm
from .refused import Refused

Log = Callable[[str], None]
"""Takes a line of a task's log."""


class Hardware(Protocol):
    """What an emulated cluster does to VMs and disks beside writing it down.

    What can't be done is a :class:`Refused`; every call returns when it is done.
    """

    def allocate(self, volume: str, gib: float, /) -> None:
        """Make an empty disk."""

    def grow(self, vm: Vm, volume: str, gib: float, /) -> None:
        """Make a disk of a VM larger."""

    def free(self, volume: str, /) -> None:
        """Remove a disk, if there is one."""

    def running(self, vm: Vm, /) -> bool:
        """Tell whether a VM's power is on."""

    def paused(self, vm: Vm, /) -> bool:
        """Tell whether a running VM is suspended."""

    def start(self, vm: Vm, volumes: Mapping[str, Disk], log: Log, /) -> None:
        """Turn a VM on."""

    def stop(self, vm: Vm, /) -> None:
        """Take a VM's power away."""

    def shut_down(self, vm: Vm, seconds: float, /) -> None:
        """Have a VM shut down in order, or raise :class:`TimeoutError`."""

    def pause(self, vm: Vm, /) -> None:
        """Stop a VM between two instructions."""

    def resume(self, vm: Vm, /) -> None:
        """Let a paused VM go on."""

    def destroy(self, vm: Vm, /) -> None:
        """Remove what a VM is, but for the disks that came from :meth:`allocate`."""

    def snapshot(self, vm: Vm, name: str, /) -> None:
        """Keep the content of a VM's disks."""

    def roll_back(self, vm: Vm, name: str, /) -> None:
        """Put the disks of a VM, which is off, back to a snapshot; its config is back already."""

    def delete_snapshot(self, vm: Vm, name: str, /) -> None:
        """Forget the content of a VM's disks at a snapshot."""

    def ask_agent(self, vm: Vm, question: str, /) -> object:
        """Answer a question to the guest agent of a running VM."""


class NoHardware:
    """VMs that are records and nothing else: what is written down is all that there is."""

    def __init__(self) -> None:
        self._paused: set[int] = set()

    def allocate(self, _volume: str, _gib: float) -> None:
        """Do nothing."""

    def grow(self, _vm: Vm, _volume: str, _gib: float) -> None:
        """Do nothing."""

    def free(self, _volume: str) -> None:
        """Do nothing."""

    def running(self, vm: Vm) -> bool:
        """Return what was written down."""
        return vm.running

    def paused(self, vm: Vm) -> bool:
        """Return whether it was told to be."""
        return vm.vm_id in self._paused

    def start(self, vm: Vm, _volumes: Mapping[str, Disk], log: Log) -> None:
        """Say that nothing boots."""
        log(f"STAND-IN: VM {vm.vm_id} is a record, nothing boots")

    def stop(self, vm: Vm) -> None:
        """Forget what was written down."""
        self._paused.discard(vm.vm_id)

    def shut_down(self, _vm: Vm, _seconds: float) -> None:
        """Do nothing."""

    def pause(self, vm: Vm) -> None:
        """Write it down."""
        self._paused.add(vm.vm_id)

    def resume(self, vm: Vm) -> None:
        """Write it down."""
        self._paused.discard(vm.vm_id)

    def destroy(self, vm: Vm) -> None:
        """Forget what was written down."""
        self._paused.discard(vm.vm_id)

    def snapshot(self, _vm: Vm, _name: str) -> None:
        """Do nothing."""

    def roll_back(self, _vm: Vm, _name: str) -> None:
        """Do nothing."""

    def delete_snapshot(self, _vm: Vm, _name: str) -> None:
        """Do nothing."""

    def ask_agent(self, _vm: Vm, _question: str) -> object:
        """Refuse: there is no agent in a record."""
        raise Refused("QEMU guest agent is not running")
