"""How large PostgreSQL may be on a machine: settings that follow from memory, cores and disk.

Pure functions. What must be the same on all machines (``max_connections`` and the like) is worked
out for the smallest of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .checks import refuse, within

_GIB = 1024
_MEMORY_OF_A_CONNECTION_MIB = 10
_MOST_CONNECTIONS = 400
_RESERVED_CONNECTIONS = 20
"""For replication, Patroni, backups, metrics and a person at 3 a.m."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """A machine, as large as its services may think it is."""

    memory_mib: int
    cores: int
    disk_gib: int

    def __post_init__(self) -> None:
        refuse(
            [
                *within("memory_mib", self.memory_mib, 512, 4 * 1024 * _GIB),
                *within("cores", self.cores, 1, 1024),
                *within("disk_gib", self.disk_gib, 1, 65536),
            ]
        )


def smallest(sizes: list[Size]) -> Size:
    """Return what every machine has at least."""
    return Size(
        memory_mib=min(size.memory_mib for size in sizes),
        cores=min(size.cores for size in sizes),
        disk_gib=min(size.disk_gib for size in sizes),
    )


def max_connections(size: Size) -> int:
    """Return how many connections fit into a fifth of the memory."""
    fitting = size.memory_mib // 5 // _MEMORY_OF_A_CONNECTION_MIB
    return max(40, min(_MOST_CONNECTIONS, fitting))


def pool_size(size: Size, pools: int) -> int:
    """Return how many connections each of a pooler's pools may have open to the database."""
    return max(5, (max_connections(size) - _RESERVED_CONNECTIONS) // max(pools, 1))


def of_this_machine(size: Size) -> dict[str, str]:
    """Return the settings that each machine has for itself."""
    shared = min(size.memory_mib // 4, 16 * _GIB)
    # Half of what is left, by all connections at once, a few sorts each.
    work = (size.memory_mib - shared) // 2 // max_connections(size) // 2
    wal = min(size.disk_gib * _GIB // 20, 16 * _GIB)
    return {
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{size.memory_mib * 13 // 20}MB",
        "maintenance_work_mem": f"{min(size.memory_mib // 16, 2 * _GIB)}MB",
        "work_mem": f"{max(4, work)}MB",
        "max_wal_size": f"{max(256, wal)}MB",
        "min_wal_size": f"{max(80, wal // 4)}MB",
        # A standby that is away for long is made anew; it must not fill the leader's disk.
        "max_slot_wal_keep_size": f"{max(512, size.disk_gib * _GIB // 5)}MB",
        "max_parallel_workers_per_gather": str(min(4, max(1, size.cores // 2))),
        "max_parallel_maintenance_workers": str(min(4, max(1, size.cores // 2))),
        "max_parallel_workers": str(size.cores),
    }


def of_all_machines(smallest_of_them: Size, most_cores: int) -> dict[str, int]:
    """Return the settings that a standby must not have smaller than its leader."""
    return {
        "max_connections": max_connections(smallest_of_them),
        "max_worker_processes": max(8, most_cores),
        "max_wal_senders": 10,
        "max_replication_slots": 10,
        "max_prepared_transactions": 0,
        "max_locks_per_transaction": 64,
    }
