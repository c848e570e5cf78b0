"""What befalls machines and networks, each for as long as a ``with`` block lasts.

Whatever ends the block undoes it. Who is killed inside it undoes nothing: ``heal`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import permutations
from pathlib import Path

from .cgroup import Cgroup, hierarchies
from .delay import delayed, straighten
from .filesystems import devices
from .host import HostError
from .machine import Machine
from .network import TABLE, Network, port
from .place import Place

__all__ = [
    "delayed",
    "full_disk",
    "heal",
    "isolation",
    "losses_between",
    "packet_loss",
    "partition",
    "paused",
    "slow_disk",
]


@contextmanager
def partition(
    *one_side: Machine, away_from: tuple[Machine, ...], one_way: bool = False
) -> Iterator[None]:
    """Have nothing pass between two sides; with ``one_way``, nothing from the first to the second.

    It is the bridge that drops it, so that it holds for any address that a machine takes on.
    """
    pairs = [(port(a.name), port(b.name)) for a in one_side for b in away_from]
    ways = pairs if one_way else pairs + [(b, a) for a, b in pairs]
    with _rules(
        one_side[0].network, [("forward", f'iifname "{a}" oifname "{b}" drop') for a, b in ways]
    ):
        yield


@contextmanager
def isolation(machine: Machine) -> Iterator[None]:
    """Have nothing reach or leave a machine, the gateway and the lab's own SSH included."""
    with _rules(machine.network, _to_and_from(machine, "drop")):
        yield


@contextmanager
def packet_loss(machine: Machine, percent: int) -> Iterator[None]:
    """Lose this share of the packets, drawn at random, to and from a machine."""
    with _rules(machine.network, _to_and_from(machine, _dropped(percent))):
        yield


@contextmanager
def losses_between(*machines: Machine, percent: int) -> Iterator[None]:
    """Lose this share of the packets, drawn at random, among some machines and nowhere else."""
    dropped = _dropped(percent)
    ways = permutations([port(machine.name) for machine in machines], 2)
    with _rules(
        machines[0].network,
        [("forward", f'iifname "{a}" oifname "{b}" {dropped}') for a, b in ways],
    ):
        yield


@contextmanager
def slow_disk(machine: Machine, *, operations: int, kib: int) -> Iterator[None]:
    """Let a running machine's disks do so much each second, reading and writing each.

    On hosts with cgroup version 1 writes count once someone waits for them (fsync, O_DIRECT):
    what the kernel writes back by itself is on nobody's account.
    """
    numbers = devices({machine.root.file, *machine.args.disks.values()})
    _throttle(machine.cgroup, list(numbers), operations, kib * 1024)
    try:
        yield
    finally:
        _throttle(machine.cgroup, list(numbers), None, None)


@contextmanager
def full_disk(machine: Machine, folder: str) -> Iterator[None]:
    """Fill the file system of a folder to the last block, with a file beside the others."""
    filler = str(Path(folder) / ".lab-full")
    try:
        # dd ends when there is nothing left, to the last block; allocation alone stops early.
        machine.execute("sh", "-c", FILL, "fill", filler, folder)
        yield
    finally:
        with suppress(HostError):  # it may be off; then heal() has to
            machine.execute("rm", "-f", filler)


FILL = """\
free=$(df --output=avail -B 4096 "$2" | tail -n 1)
fallocate -l "$((free * 4096))" "$1" || true
dd if=/dev/zero of="$1" bs=4096 oflag=append conv=notrunc,fsync 2>/dev/null || true
"""


@contextmanager
def paused(machine: Machine) -> Iterator[None]:
    """Stop a machine, and let it go on after."""
    machine.pause()
    try:
        yield
    finally:
        if machine.running:
            machine.resume()


def heal(place: Place) -> None:
    """Undo every fault of the network and the processor in a lab, whoever made it; again if told.

    Full disks are not among them: delete ``.lab-full``.
    """
    network = Network(place)
    if network.exists:
        network.nft(f"flush table bridge {TABLE}")
    for folder in sorted((place.folder / "machines").glob("*")):
        machine = Machine(place, folder.name)
        if machine.running:
            straighten(network, machine.name)
            machine.resume()
            numbers = devices({machine.root.file, *machine.args.disks.values()})
            _throttle(machine.cgroup, list(numbers), None, None)


def _dropped(percent: int) -> str:
    if not 1 <= percent <= 100:  # noqa: PLR2004 - a share
        raise ValueError(f"percent: must be 1-100, got {percent}")
    return f"numgen random mod 100 < {percent} drop"


def _to_and_from(machine: Machine, verdict: str) -> list[tuple[str, str]]:
    name = port(machine.name)
    arriving = [(hook, f'iifname "{name}" {verdict}') for hook in ("input", "forward")]
    leaving = [(hook, f'oifname "{name}" {verdict}') for hook in ("forward", "output")]
    return arriving + leaving


@contextmanager
def _rules(network: Network, rules: list[tuple[str, str]]) -> Iterator[None]:
    said = network.nft(*(f"add rule bridge {TABLE} {hook} {rule}" for hook, rule in rules))
    handles = [line.rpartition("# handle ")[2] for line in said.splitlines() if "# handle" in line]
    hooks = [hook for hook, _ in rules]
    try:
        yield
    finally:
        # One by one: heal() or the end of the lab may have been quicker.
        for hook, handle in zip(hooks, handles, strict=True):
            with suppress(HostError):
                network.nft(f"delete rule bridge {TABLE} {hook} handle {handle}")


def _throttle(cgroup: Cgroup, numbers: list[str], operations: int | None, size: int | None) -> None:
    for number in numbers:
        for hierarchy in hierarchies():
            folder = hierarchy / cgroup.name
            if (folder / "io.max").exists():
                iops, bps = operations or "max", size or "max"
                (folder / "io.max").write_text(
                    f"{number} riops={iops} wiops={iops} rbps={bps} wbps={bps}"
                )
            elif (folder / "blkio.throttle.read_bps_device").exists():
                for way in ("read", "write"):
                    for unit, most in (("iops", operations), ("bps", size)):
                        file = folder / f"blkio.throttle.{way}_{unit}_device"
                        file.write_text(f"{number} {most or 0}")
