"""``lab status``: what of a lab there is and how it is, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from . import services
from .checkout import place_of
from .internet import Site
from .machines import Machine, Network, Place, left
from .machines.access import answers

MIB = 1 << 20
Row = tuple[str, ...]


def print_all(stack: str) -> None:
    """Print the tables of a stack's lab."""
    place = place_of(stack)
    if not Network(place).exists:
        kept = " (its disks are kept)" if left(place.lab_id, place.home).files else ""
        print(f"The lab of {stack} is down{kept}; make up stack={stack}")
        return
    print()
    _table(("machine", "address", "power", "ssh", "memory", "disk"), list(_machines(place)))
    print()
    _table(("service", "address", "answers"), list(_services(place)))


def machines_of(place: Place) -> list[Machine]:
    """Return the machines of a lab, by name."""
    folders = sorted((place.folder / "machines").glob("*/machine.json"))
    return [Machine(place, file.parent.name) for file in folders]


def _machines(place: Place) -> Iterator[Row]:
    for machine in machines_of(place):
        address = machine.args.address.ip
        on = machine.running
        ssh = on and answers(machine.network, address, 1)
        disks = [machine.root.file, *machine.args.disks.values()]
        yield (
            machine.name,
            str(address),
            "on" if on else "off",
            "answers" if ssh else "-",
            f"{_memory(machine) / MIB:.0f} MiB" if on else "-",
            f"{sum(map(_allocated, disks)) / MIB:.0f} MiB",
        )


def _services(place: Place) -> Iterator[Row]:
    yield ("emulated APIs", place.namespace, "yes" if services.running(place) else "no")
    where = {
        "Cloudflare's API": (Site.CLOUDFLARE, 443),
        "Cloudflare's edge": (Site.EDGE, 443),
        "object store": (Site.OBJECT_STORE, 443),
        "registry": (Site.REGISTRY, 443),
    }
    for name, (site, port) in where.items():
        yield (name, f"{site.address}:{port}", "yes" if _open(place, site, port) else "no")


def _open(place: Place, site: Site, port: int) -> bool:
    try:
        with Network(place).connect(IPv4Address(site.address), port, 1):
            return True
    except OSError:
        return False


def _memory(machine: Machine) -> int:
    """Return what a machine's processes hold, shared pages once each."""
    return sum(map(_held, machine.cgroup.pids()))


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile, or is the kernel's
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _allocated(file: Path) -> int:
    return file.stat().st_blocks * 512 if file.exists() else 0


def _table(head: Row, rows: Sequence[Row]) -> None:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))
