"""`make up` and what belongs to it, as people run it: from nothing to machines, and back."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from lab.checkout import home, place_of
from lab.machines import Network, left
from lab.services import running
from lab.status import machines_of

from .people import People, a_person

pytestmark = [pytest.mark.engine, pytest.mark.machines]


@pytest.fixture(scope="module")
def people():
    """A lab of these tests' own, gone afterwards whatever happens."""
    with a_person() as person:
        yield person


@pytest.fixture(scope="module")
def made(people):
    people.said = people.run("up", "--bare")
    people.resources = int(re.search(r"(?m)^ *\+ (\d+) created$", people.said)[1])
    people.place = place_of("testing")
    return people


def listening() -> set[str]:
    """Return the sockets on which this computer listens, outside of its labs' networks."""
    lines = [
        line.split()
        for file in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(file).read_text().splitlines()[1:]
    ]
    return {f"socket:[{words[9]}]" for words in lines if words[3] == "0A"}


def sockets(pid: int) -> set[str]:
    """Return the sockets that a process has open."""
    found = set()
    with suppress(OSError):  # it ended meanwhile
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(file.readlink()))
    return found


def boots(place) -> dict[str, str]:
    """Return which start of each machine this is."""
    return {
        machine.name: machine.ssh("stat -c %Y /proc/1; cat /proc/1/stat | cut -d' ' -f22")
        for machine in machines_of(place)
    }


def test_up_ends_with_machines_that_answer_and_says_where_to_look(made):
    assert made.resources > 80
    assert "6 of them" in made.said
    assert "ssh db-node1" in made.said
    assert made.run("ssh", "db-node1", "hostname").split() == ["db-node1"]


def test_machines_of_k3s_and_no_others_are_made_so_that_containers_can_run_on_them(made):
    plain = {
        machine.name
        for machine in machines_of(made.place)
        if "ext4" in machine.ssh("findmnt --noheadings --output FSTYPE /var/lib/rancher || true")
    }

    assert plain == {"k3s-node1", "k3s-node2", "k3s-node3"}


def test_the_status_is_a_table_of_what_is(made):
    rows = [line.split() for line in made.run("status").splitlines()]

    assert ["db-node2", "192.168.15.121", "on", "answers"] in [row[:4] for row in rows]
    assert sum(row[-1:] == ["yes"] for row in rows) == 4


def test_nothing_of_it_listens_outside_of_its_network(made):
    processes = left(made.place.lab_id, made.place.home).processes
    theirs = set().union(*map(sockets, processes))

    assert len(processes) > 20
    assert any(name.startswith("socket:") for name in theirs)
    assert not theirs & listening()


def test_a_second_up_and_a_refresh_change_nothing(made):
    said = made.run("up", "--bare")
    made.run("pulumi", "refresh", "--yes", "--expect-no-changes")

    assert f"{made.resources} unchanged" in said
    assert "earlier run left" in said


def test_a_machine_reaches_the_object_store_by_a_verified_name(made):
    ca = (made.place.folder / "authority" / "ca.pem").read_text()
    (machine,) = [m for m in machines_of(made.place) if m.name == "db-node3"]
    machine.ssh(f"cat > ca.pem <<'EOF'\n{ca}EOF")

    said = machine.ssh("curl --silent --cacert ca.pem https://203.0.113.3/health")

    assert said == "OK"


def test_machines_run_on_without_the_services_and_the_next_up_has_them_again(made):
    before = boots(made.place)
    pid = next(
        pid
        for pid in left(made.place.lab_id, made.place.home).processes
        if b"lab.services" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(pid, 9)

    said = made.run("up", "--bare")

    assert running(made.place)
    assert f"{made.resources} unchanged" in said
    assert boots(made.place) == before


def test_a_reboot_of_the_computer_is_survived(made):
    made.run("ssh", "db-node2", "echo kept > mark; sync")
    made.run("down", "--keep-disks")
    assert not Network(made.place).exists

    said = made.run("up", "--bare")

    assert f"{made.resources} unchanged" in said
    assert made.run("ssh", "db-node2", "cat", "mark").split() == ["kept"]


def test_two_labs_side_by_side_do_not_meet(made):
    other = People(f"{os.environ['COLDSTORAGE_LAB']}-other")
    try:
        other.run("up", "--bare")
        other.run("ssh", "db-node1", "touch", "other")

        assert made.run("ssh", "db-node1", "ls").split() == []
    finally:
        other.run("down")
    assert made.run("ssh", "db-node1", "hostname").split() == ["db-node1"]


def test_down_leaves_nothing(made):
    said = made.run("down")

    assert "nothing is left of it" in said
    assert not left(made.place.lab_id, made.place.home)
    assert not list(home().glob("*"))
    assert "is down" in made.run("status")
    assert "nothing is left of it" in made.run("down")
