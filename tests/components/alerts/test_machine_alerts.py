"""Each alert of the machines fires at its level and not below; the levels are system 2's."""

from __future__ import annotations

import pytest

from components.settings import PROJECT

from .rules import Series, alerts_in

RULES = PROJECT / "components" / "alerts" / "machines.yaml"
ALERTS = alerts_in(RULES)
K3S = 'job="k3s-node",machine="k3s-node1"'
LEVELS = {"cpu": (70, 85), "memory": (75, 90), "disk": (80, 95)}
GIB = 1024**3


def busy(percent: float) -> Series:
    """Return a processor that is idle for the rest; a step is 15 s."""
    return {f'node_cpu_seconds_total{{{K3S},cpu="0",mode="idle"}}': f"0+{15 - 0.15 * percent}x200"}


def taken(percent: float) -> Series:
    """Return a memory of which so much is taken."""
    return {
        f"node_memory_MemAvailable_bytes{{{K3S}}}": f"{(100 - percent) * GIB}x200",
        f"node_memory_MemTotal_bytes{{{K3S}}}": f"{100 * GIB}x200",
    }


def filled(percent: float) -> Series:
    """Return a disk of which so much is taken."""
    which = f'{{{K3S},mountpoint="/",fstype="ext4"}}'
    return {
        f"node_filesystem_avail_bytes{which}": f"{(100 - percent) * GIB}x200",
        f"node_filesystem_size_bytes{which}": f"{100 * GIB}x200",
    }


CASES = {
    "MachineBusy": (busy(71), busy(69)),
    "MachineOverloaded": (busy(86), busy(84)),
    "MachineMemoryFilling": (taken(76), taken(74)),
    "MachineMemoryFull": (taken(91), taken(89)),
    "MachineDiskFilling": (filled(81), filled(79)),
    "MachineDiskFull": (filled(96), filled(94)),
    "MachineTellsNothing": ({f"up{{{K3S}}}": "0x200"}, {f"up{{{K3S}}}": "1x200"}),
}


@pytest.mark.parametrize("what", LEVELS)
def test_the_levels_are_those_of_system_2(what):
    found = {
        rule["labels"]["severity"]: float(rule["expr"].rpartition(">")[2])
        for rule in ALERTS.values()
        if rule["labels"].get("what") == what
    }

    assert found == dict(zip(("warning", "critical"), LEVELS[what], strict=True))
