"""Disks in files: grown, kept as they were, gone back to."""

from __future__ import annotations

import pytest

from lab.machines import Volume

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path):
    """A disk of one MiB whose first bytes are known."""
    made = Volume(tmp_path / "data.raw")
    made.create(1 / 1024, formatted=False)
    write(made, b"before")
    return made


def write(disk, content: bytes) -> None:
    with disk.file.open("r+b") as file:
        file.write(content)


def test_a_disk_goes_back_to_a_snapshot_content_and_size(disk):
    disk.snapshot("one")
    write(disk, b"after!")
    disk.grow(2 / 1024)

    disk.roll_back("one")

    assert disk.file.read_bytes()[:6] == b"before"
    assert disk.size == MIB
    assert disk.has_snapshot("one")


def test_a_snapshot_is_as_sparse_and_as_private_as_its_disk(disk):
    disk.grow(1)
    disk.snapshot("one")

    kept = Volume(next(disk.file.parent.glob("*@*")))

    assert kept.size == 1024 * MIB
    assert kept.allocated < MIB
    assert kept.file.stat().st_mode == disk.file.stat().st_mode


def test_a_deleted_disk_takes_its_snapshots_along_and_no_others(disk, tmp_path):
    other = Volume(tmp_path / "data-2.raw")
    other.create(1 / 1024, formatted=False)
    for each in (disk, other):
        each.snapshot("one")

    disk.delete()

    assert {file.name for file in tmp_path.iterdir()} == {"data-2.raw", "data-2@one.raw"}


def test_a_forgotten_snapshot_can_not_be_gone_back_to(disk):
    disk.snapshot("one")
    disk.delete_snapshot("one")

    with pytest.raises(Exception, match="No such file"):
        disk.roll_back("one")
    assert disk.file.read_bytes()[:6] == b"before"
