"""``make down``: nothing of a lab is left on this computer but what is cached for the next."""

from __future__ import annotations

from .checkout import place_of
from .machines import clean_up, left
from .machines.host import HostError
from .steps import Steps


def down(name: str) -> None:
    """Remove the lab of a stack, whatever became of it, and prove that it is gone."""
    place = place_of(name)
    steps = Steps()
    there = left(place.lab_id, place.home)
    print(f"Lab of {name}: {len(there.processes)} processes, {len(there.mounts)} mounts")
    steps.step("All of it removed", lambda: clean_up(place.lab_id, place.home))
    remains = left(place.lab_id, place.home)
    if remains:
        raise HostError(f"the lab of {name}: still there: {remains}")
    print("  nothing is left of it: no process, mount, loop device, namespace, cgroup or file")
