"""``make down``: nothing of a lab is left on this computer but what is cached for the next."""

from __future__ import annotations

from dataclasses import replace

from .checkout import place_of
from .machines import clean_up, left
from .machines.host import HostError
from .steps import Steps


def down(name: str, *, keep_disks: bool) -> None:
    """Remove the lab of a stack, whatever became of it, and prove that it is gone.

    With its disks and state kept it is what a computer's loss of power leaves.
    """
    place = place_of(name)
    steps = Steps()
    there = left(place.lab_id, place.home)
    print(f"Lab of {name}: {len(there.processes)} processes, {len(there.mounts)} mounts")
    files = not keep_disks
    steps.step("All of it removed", lambda: clean_up(place.lab_id, place.home, files=files))
    remains = left(place.lab_id, place.home)
    if keep_disks:
        remains = replace(remains, files=())
    if remains:
        raise HostError(f"the lab of {name}: still there: {remains}")
    kept = " but its disks and its state" if keep_disks else " or file"
    print(f"  nothing is left of it: no process, mount, loop device, namespace, cgroup{kept}")
