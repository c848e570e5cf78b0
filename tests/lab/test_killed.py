"""A first `make up` that is killed while it makes machines: the next one finishes it."""

from __future__ import annotations

import sys
import time

import pytest

from lab.checkout import place_of
from lab.pve.records import Records
from lab.status import machines_of
from tests.engine.crashing import SEED, drawn
from tests.lab.people import a_person

pytestmark = [pytest.mark.engine, pytest.mark.machines, pytest.mark.crashes]
SPREAD = 3
VMS = 9
SECONDS = 120


@pytest.fixture
def people():
    with a_person() as person:
        yield person


@pytest.mark.parametrize("part", range(SPREAD))
def test_an_up_that_is_killed_while_it_makes_machines_is_finished_by_the_next(people, part):
    nth = drawn(part, SPREAD, VMS)
    sys.stdout.write(f"CRASH_SEED={SEED} part {part}: killed at VM {nth} of {VMS}\n")
    records = place_of("testing").folder / "proxmox.json"
    with people.started("up", "--bare") as process:
        deadline = time.monotonic() + SECONDS
        while len(Records.load(records).vms) < nth:
            assert process.poll() is None, "it ended before"
            assert time.monotonic() < deadline
            time.sleep(0.005)

    people.run("up", "--bare")
    said = people.run("up", "--bare")

    assert " created" not in said
    assert " updated" not in said
    assert " unchanged" in said
    machines = machines_of(place_of("testing"))
    assert len(machines) == 6
    assert all(machine.running for machine in machines)
    there = Records.load(records)
    owners = {int(volume.split(":")[1].split("/")[0]) for volume in there.volumes}
    assert len(there.vms) == VMS
    assert owners == there.vms.keys()
    assert (len(there.pools), len(there.files)) == (1, 1)
