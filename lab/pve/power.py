"""The power of VMs: start, stop, shut down, reboot, reset, suspend and resume."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .hardware import Log
from .records import Vm
from .refused import Refused

if TYPE_CHECKING:
    from .cluster import Cluster

SHUTDOWN_SECONDS = 60.0
"""As long as Proxmox gives a VM if nobody says otherwise."""
LAST = 1_000_000

Form = Mapping[str, str]


def start(cluster: Cluster, vm_id: int, log: Log, _: Form | None = None) -> None:
    """Turn a VM on."""
    with cluster.at_work(vm_id) as vm:
        if vm.running:
            raise Refused(f"VM {vm_id} already running")
        _on(cluster, vm, log)


def stop(cluster: Cluster, vm_id: int, _log: Log, _: Form | None = None) -> None:
    """Take a VM's power away; one that is off may be told so."""
    with cluster.at_work(vm_id) as vm:
        cluster.hardware.stop(vm)
        _off(cluster, vm)


def shutdown(cluster: Cluster, vm_id: int, log: Log, form: Form | None = None) -> None:
    """Have a VM shut down in order; with ``forceStop`` its power is taken if it does not."""
    form = form or {}
    with cluster.at_work(vm_id) as vm:
        _shut_down(cluster, vm, log, form, force=form.get("forceStop") == "1")


def reboot(cluster: Cluster, vm_id: int, log: Log, form: Form | None = None) -> None:
    """Shut a VM down and start it again."""
    with cluster.at_work(vm_id) as vm:
        must_run(vm)
        _shut_down(cluster, vm, log, form or {}, force=False)
        _on(cluster, vm, log)


def reset(cluster: Cluster, vm_id: int, log: Log, _: Form | None = None) -> None:
    """Take a VM's power away for a moment."""
    with cluster.at_work(vm_id) as vm:
        must_run(vm)
        cluster.hardware.stop(vm)
        _on(cluster, vm, log)


def suspend(cluster: Cluster, vm_id: int, _log: Log, form: Form | None = None) -> None:
    """Stop a VM between two instructions."""
    with cluster.at_work(vm_id) as vm:
        must_run(vm)
        if (form or {}).get("todisk") == "1":
            raise Refused("STAND-IN: suspending to disk is not emulated")
        cluster.hardware.pause(vm)


def resume(cluster: Cluster, vm_id: int, _log: Log, _: Form | None = None) -> None:
    """Let a suspended VM go on."""
    with cluster.at_work(vm_id) as vm:
        must_run(vm)
        cluster.hardware.resume(vm)


Action = Callable[["Cluster", int, Log, Form | None], None]
ACTIONS: Mapping[str, Action] = {
    action.__name__: action for action in (start, stop, shutdown, reboot, reset, suspend, resume)
}
NEED_A_RUNNING_VM = frozenset({"reboot", "reset", "suspend", "resume"})


def must_run(vm: Vm) -> None:
    """Refuse what only a running VM can do."""
    if not vm.running:
        raise Refused(f"VM {vm.vm_id} not running")


def boot(cluster: Cluster) -> dict[int, str]:
    """Start what has ``onboot`` and does not run, in the order that ``startup`` says.

    One that can't start keeps no other from it: why it could not is returned by VM id.
    """
    wanted = [vm for vm in cluster.all_vms() if vm.config.get("onboot") == "1" and not vm.running]
    faults = {}
    for vm in sorted(wanted, key=lambda vm: (_order(vm), vm.vm_id)):
        try:
            start(cluster, vm.vm_id, print)
        except Refused as refusal:
            faults[vm.vm_id] = str(refusal)
    return faults


def _order(vm: Vm) -> int:
    found = re.search(r"(?:order=|^)(\d+)", vm.config.get("startup", ""))
    return int(found[1]) if found else LAST


def _on(cluster: Cluster, vm: Vm, log: Log) -> None:
    name = vm.machine or vm.name
    other = [v.vm_id for v in cluster.all_vms() if v.machine == name and v is not vm]
    if other:
        raise Refused(f"STAND-IN: machine {name} is VM {other[0]}'s, VM {vm.vm_id} can't have it")
    with cluster.changing():
        vm.machine = name
    cluster.hardware.start(vm, cluster.volumes, log)
    with cluster.changing():
        vm.running = True


def _off(cluster: Cluster, vm: Vm) -> None:
    with cluster.changing():
        vm.running = False


def _shut_down(cluster: Cluster, vm: Vm, log: Log, form: Form, *, force: bool) -> None:
    seconds = float(form.get("timeout", SHUTDOWN_SECONDS))
    if cluster.hardware.paused(vm) and not force:
        raise Refused("VM is paused - cannot shutdown")
    try:
        cluster.hardware.shut_down(vm, seconds)
    except TimeoutError:
        if not force:
            raise Refused("VM quit/powerdown failed - got timeout") from None
        log("VM still running - terminating now")
        cluster.hardware.stop(vm)
    _off(cluster, vm)
