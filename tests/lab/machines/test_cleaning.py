"""After a lab, nothing of it is on the host, whatever became of the process that made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.machines import Machine, Network, Place, Volume, clean_up, left
from lab.machines.host import run

from .conftest import DATA, GATEWAY, ROOT, SSH_SECONDS

pytestmark = pytest.mark.machines

OWNER = """
import sys, time
from lab.machines import Machine, Place, faults
from tests.lab.machines.conftest import DATA, GATEWAY, Lab, Network, Path
place = Place(sys.argv[1])
Network(place).up(GATEWAY)
lab = Lab(place, Path(sys.argv[2]))
a = lab.started("db-node1", disks={DATA: lab.volume("data").file})
b = lab.machine("db-node2")
a.ssh(f"mkdir /data && mount {DATA} /data")
with faults.isolation(a), faults.paused(a):
    b.boot()
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lab_id():
    lab_id = f"k{os.getpid()}"
    before = set(Path("/run/systemd/nspawn").glob("**/*"))
    yield lab_id
    clean_up(lab_id)
    assert set(Path("/run/systemd/nspawn").glob("**/*")) <= before


@pytest.fixture
def crashed(lab_id, image):
    """A lab whose owner was killed while a machine was starting and faults were on."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, lab_id, str(image)], cwd=ROOT, stdout=subprocess.PIPE
    )
    with owner:
        try:
            assert owner.stdout.readline() == b"ready\n"
        finally:
            owner.send_signal(signal.SIGKILL)
    return Place(lab_id)


def traces(place):
    """Return what of a lab is on the host, looked for in other ways than the lab's own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if place.cgroup in (process / "cgroup").read_text():
                found.append(f"process {process.name}")
            if str(place.folder) in (process / "mountinfo").read_text():
                found.append(f"mount of {process.name}")
            if place.lab_id in (process / "cmdline").read_text():
                found.append(f"command of {process.name}")
        except OSError:
            continue
    for command in (["losetup", "--list"], ["ip", "netns"], ["findmnt"]):
        found += [line for line in run(*command).splitlines() if place.lab_id in line]
    for root in ("/sys/fs/cgroup", "/run/systemd/nspawn"):
        # Other labs' folders come and go meanwhile: os.walk passes over what has gone.
        for folder, folders, files in os.walk(root):
            found += [f"{folder}/{name}" for name in folders + files if place.lab_id in name]
    return found


def test_a_lab_outlives_the_process_that_made_it(crashed):
    machine = Machine(crashed, "db-node2")
    machine.wait_for_ssh(SSH_SECONDS)

    assert machine.ssh("hostname").strip() == "db-node2"


def test_nothing_is_left_of_a_lab_whose_owner_was_killed(crashed):
    assert traces(crashed)
    assert left(crashed.lab_id)

    clean_up(crashed.lab_id)

    deadline = time.monotonic() + 10  # the kernel ends namespaces in its own time
    while (found := traces(crashed)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not found
    assert not left(crashed.lab_id)
    assert not crashed.folder.exists()
    clean_up(crashed.lab_id)


def test_a_lab_may_keep_its_disks_and_come_back(crashed):
    clean_up(crashed.lab_id, files=False)
    assert Volume(crashed.volume("data")).exists
    assert left(crashed.lab_id).files
    assert not left(crashed.lab_id).processes

    Network(crashed).up(GATEWAY)
    machine = Machine(crashed, "db-node1")
    machine.boot()
    machine.wait_for_ssh(SSH_SECONDS)

    assert machine.ssh(f"mount {DATA} /data && ls /data").strip() == "lost+found"


def test_what_was_attached_by_hand_goes_too(lab_id):
    volume = Volume(Place(lab_id).volume("data"))
    volume.create(0.1)
    where = Place(lab_id).folder / "here"
    where.mkdir()
    run("mount", "-o", "loop", volume.file, where)
    assert left(lab_id).mounts == (str(where),)
    assert len(left(lab_id).loop_devices) == 1

    clean_up(lab_id)

    assert not left(lab_id)


def test_cleaning_up_what_never_was_is_nothing(lab_id):
    clean_up(lab_id)

    assert not left(lab_id)
