"""PostgreSQL fits into its machine, whatever that is."""

from __future__ import annotations

import pytest

from hosts.postgres_size import (
    Size,
    max_connections,
    of_all_machines,
    of_this_machine,
    pool_size,
    smallest,
)

SIZES = [
    Size(memory_mib=memory, cores=cores, disk_gib=disk)
    for memory in (512, 1024, 2048, 8192, 65536, 1 << 20)
    for cores in (1, 2, 4, 64)
    for disk in (1, 10, 50, 4000)
]


def mib(settings, name):
    assert settings[name].endswith("MB")
    return int(settings[name].removesuffix("MB"))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_never_wants_more_than_there_is(size):
    settings = of_this_machine(size)

    shared, work = mib(settings, "shared_buffers"), mib(settings, "work_mem")
    assert shared + work * max_connections(size) <= size.memory_mib
    assert mib(settings, "maintenance_work_mem") <= size.memory_mib // 8
    assert mib(settings, "effective_cache_size") < size.memory_mib
    assert int(settings["max_parallel_workers"]) <= size.cores


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_log_leaves_room_for_the_data(size):
    settings = of_this_machine(size)

    logs = mib(settings, "max_wal_size") + mib(settings, "max_slot_wal_keep_size")
    assert logs <= size.disk_gib * 1024 * 3 // 4


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_pools_leave_connections_for_everybody_else(size):
    for pools in (1, 2, 3):
        assert pool_size(size, pools) * pools < max_connections(size)


def test_what_all_must_share_follows_from_the_smallest():
    sizes = [
        Size(memory_mib=8192, cores=4, disk_gib=50),
        Size(memory_mib=2048, cores=2, disk_gib=100),
    ]

    assert smallest(sizes) == Size(memory_mib=2048, cores=2, disk_gib=50)
    shared = of_all_machines(smallest(sizes), most_cores=16)
    assert shared["max_connections"] == max_connections(Size(memory_mib=2048, cores=2, disk_gib=50))
    assert shared["max_worker_processes"] == 16


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        ({"memory_mib": 100}, "memory_mib: must be 512-"),
        ({"cores": 0}, "cores: must be 1-1024, got 0"),
        ({"disk_gib": 0}, "disk_gib: must be 1-65536, got 0"),
    ],
)
def test_an_impossible_machine_is_refused(wish, fault):
    with pytest.raises(ValueError, match=fault):
        Size(**{"memory_mib": 1024, "cores": 1, "disk_gib": 10, **wish})
