"""Faults: each is real while it lasts, hits whom it should alone, and is undone."""

from __future__ import annotations

import socket
import time

import pytest

from lab.machines import faults
from lab.machines.access import answers
from lab.machines.host import HostError
from lab.machines.network import NAMESPACES, entered

from .conftest import DATA, DATABASE, GATEWAY, SSH_SECONDS

pytestmark = pytest.mark.machines


@pytest.fixture(scope="module")
def three(lab):
    data = lab.volume("data")
    machines = [
        lab.machine(name, disks={DATA: data.file} if name == DATABASE[0] else {})
        for name in DATABASE
    ]
    for machine in machines:
        machine.boot()
    for machine in machines:
        machine.wait_for_ssh(SSH_SECONDS)
    machines[0].ssh(f"mkdir /data && mount {DATA} /data")
    return machines


@pytest.fixture(autouse=True)
def nothing_stays(three):
    yield
    said = three[0].network.nft("list table bridge faults")
    assert not [line for line in said.splitlines() if "drop" in line]


def reaches(machine, other) -> bool:
    try:
        machine.execute("ping", "-c", "2", "-i", "0.2", "-W", "1", str(other.args.address.ip))
    except HostError:
        return False
    return True


def reaches_again(machine, other) -> bool:
    """Tell whether a machine finds another once a fault is over.

    A neighbour sought in vain for three seconds is given up together with the pings that waited
    for it, so the ping that is under way just then fails.
    """
    deadline = time.monotonic() + 5
    while not (found := reaches(machine, other)) and time.monotonic() < deadline:
        pass
    return found


def receives(listener, sender) -> bool:
    """Tell whether one datagram of the sender arrives; nothing has to go back for it."""
    script = (
        "import socket,sys; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(2);"
        " s.bind(('',999)); open('/run/bound','w');"
        " sys.stdout.write(s.recv(9).decode())"
    )
    listener.execute("rm", "-f", "/run/bound")
    listener.execute(
        "systemd-run", "--quiet", "--collect", "--unit=listen", "sh", "-c",
        f'python3 -c "{script}" >/run/heard 2>&1',
    )  # fmt: skip
    listener.execute("sh", "-c", "until [ -e /run/bound ]; do sleep 0.05; done")
    address = listener.args.address.ip
    sender.execute(
        "python3", "-c",
        "import socket; socket.socket(socket.AF_INET,socket.SOCK_DGRAM)"
        f".sendto(b'hello',('{address}',999))",
    )  # fmt: skip
    listener.execute("sh", "-c", "while systemctl is-active --quiet listen; do sleep 0.1; done")
    return listener.execute("cat", "/run/heard").startswith("hello")


def gateway_hears(sender) -> bool:
    """Tell whether one datagram of the sender arrives at the gateway."""
    gateway = str(GATEWAY.ip)
    with entered(NAMESPACES / sender.place.namespace):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with listener:
        listener.bind((gateway, 999))
        listener.settimeout(2)
        script = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x',('{}',999))"
        sender.execute("python3", "-c", script.format(gateway))
        try:
            return listener.recv(9) == b"x"
        except TimeoutError:
            return False


def test_a_partition_parts_its_pair_and_nobody_else(three):
    a, b, c = three
    with faults.partition(a, away_from=(b,)):
        assert not reaches(a, b)
        assert not reaches(b, a)
        assert reaches(a, c)
        assert reaches(b, c)
    assert reaches_again(a, b)


def test_a_partition_may_have_several_on_each_side(three):
    a, b, c = three
    with faults.partition(a, b, away_from=(c,)):
        assert not reaches(a, c)
        assert not reaches(c, b)
        assert reaches(a, b)
    assert reaches_again(a, c)


def test_a_one_way_partition_lets_the_other_way_pass(three):
    a, b, _ = three
    assert receives(a, b)
    assert receives(b, a)  # each knows now where the other is
    with faults.partition(a, away_from=(b,), one_way=True):
        assert receives(a, b)
        assert not receives(b, a)
    assert receives(b, a)


def test_an_isolated_machine_is_out_of_reach_of_the_lab_too(three):
    a, b, c = three
    address = a.args.address.ip
    assert answers(a.network, address, 1)
    assert gateway_hears(a)
    with faults.isolation(a):
        assert not answers(a.network, address, 1)
        assert not gateway_hears(a)
        assert not reaches(a, b)
        assert reaches(b, c)
    assert answers(a.network, address, 5)


def test_faults_overlap_and_end_in_any_order(three):
    a, b, c = three
    first, second = faults.partition(a, away_from=(b,)), faults.isolation(a)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not reaches(a, b)
    assert not reaches(a, c)
    second.__exit__(None, None, None)
    assert reaches_again(a, b)


def test_a_share_of_the_packets_is_lost(three):
    a, b, _ = three
    ping = ("ping", "-q", "-c", "200", "-i", "0.005", "-W", "1")
    with faults.packet_loss(b, 20):
        said = a.execute(*ping, str(b.args.address.ip))

    # Lost on the way there or back: 36 of 100 answers; chance goes no further than this.
    assert 15 < float(said.partition("% packet loss")[0].split()[-1]) < 60
    assert ", 0% packet loss" in a.execute(*ping, str(b.args.address.ip))


def test_packets_are_lost_between_some_machines_and_nowhere_else(three):
    a, b, c = three
    ping = ("ping", "-q", "-c", "100", "-i", "0.005", "-W", "1")
    with faults.losses_between(a, b, percent=20):
        said = a.execute(*ping, str(b.args.address.ip))
        assert ", 0% packet loss" in a.execute(*ping, str(c.args.address.ip))
        assert ", 0% packet loss" in a.execute(*ping, str(GATEWAY.ip))

    assert 10 < float(said.partition("% packet loss")[0].split()[-1]) < 65


def test_a_distant_machine_is_distant_to_all_and_then_near_again(three):
    a, b, c = three
    ping = ("ping", "-q", "-c", "5", "-i", "0.2")
    near = average(b.execute(*ping, str(c.args.address.ip)))
    with faults.delayed(a, 0.05):
        assert 100 < average(b.execute(*ping, str(a.args.address.ip))) < 100 + near + 60
        assert 100 < average(a.execute(*ping, str(c.args.address.ip))) < 100 + near + 60
        assert average(b.execute(*ping, str(c.args.address.ip))) < 50
        started = time.monotonic()
        assert len(a.ssh("head -c 1000000 /dev/zero | base64 -w 0")) > 1_000_000
        assert time.monotonic() - started > 0.5  # an SSH session takes at least five round trips
        with faults.partition(a, away_from=(b,)):
            assert not reaches(a, b)
    assert average(b.execute(*ping, str(a.args.address.ip))) < 50
    assert a.network.links() == {"lo", "br0", *DATABASE}


def average(ping: str) -> float:
    """Return the milliseconds of a round trip."""
    return float(ping.rpartition(" = ")[2].split("/")[1])


def test_a_slow_disk_is_slow_and_then_as_before(three):
    write = "dd if=/dev/zero of={}/file bs=64k count=16 oflag=direct 2>/dev/null"
    with faults.slow_disk(three[0], operations=1000, kib=256):
        for folder in ("/data", "/srv"):
            started = time.monotonic()
            three[0].ssh(write.format(folder))
            assert time.monotonic() - started > 2.5, folder  # 1 MiB at 256 KiB/s is 4 s
    started = time.monotonic()
    three[0].ssh(write.format("/data"))
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("folder", ["/data", "/srv"])
def test_a_full_disk_takes_nothing_and_then_again(three, folder):
    write = f"echo something >{folder}/note && sync {folder}/note"
    with faults.full_disk(three[0], folder), pytest.raises(HostError, match="No space left"):
        three[0].ssh(write)
    three[0].ssh(write)
    assert ".lab-full" not in three[0].ssh(f"ls -A {folder}")


def test_a_paused_machine_does_nothing_and_answers_nobody(three):
    a, b, _ = three
    a.execute(
        "systemd-run", "--quiet", "--collect", "--unit=tick", "sh", "-c",
        "while true; do date +%s.%N >/run/tick; sleep 0.02; done",
    )  # fmt: skip
    boots = a.ssh("cat /proc/1/stat").split()[21]
    with faults.paused(a):
        seen = a.execute("cat", "/run/tick")
        assert not reaches(b, a)
        assert a.execute("cat", "/run/tick") == seen
    assert reaches_again(b, a)
    a.execute("sh", "-c", f"until [ $(cat /run/tick) != {seen.strip()} ]; do sleep 0.05; done")
    assert a.ssh("cat /proc/1/stat").split()[21] == boots
    a.execute("systemctl", "stop", "tick")


def test_a_fault_is_undone_when_the_block_fails(three):
    a, b, _ = three
    with pytest.raises(RuntimeError, match="on the way"), faults.isolation(a):
        raise RuntimeError("on the way")
    assert reaches_again(a, b)


def test_what_a_killed_process_left_is_healed(three):
    a, b, _ = three
    left = [faults.isolation(a), faults.delayed(a, 0.01), faults.paused(b)]
    for fault in left:
        fault.__enter__()
    faults.heal(a.place)
    faults.heal(a.place)

    assert reaches_again(a, b)
    assert a.network.links() == {"lo", "br0", *DATABASE}
    for fault in reversed(left):
        fault.__exit__(None, None, None)
    assert reaches_again(a, b)
