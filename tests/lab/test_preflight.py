"""A computer that can't run the lab is told all the reasons, before anything is touched."""

from __future__ import annotations

import os
import platform
import shutil

import pytest

from lab import preflight


def refusal(tmp_path) -> str:
    with pytest.raises(preflight.NotHereError) as refused:
        preflight.check("testing", cache=tmp_path / "not-there-yet")
    return str(refused.value)


@pytest.fixture(autouse=True)
def _roomy(monkeypatch):
    """This computer, if it were root's and large."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(preflight, "NEEDED_DISK_GIB", 0)
    monkeypatch.setattr(preflight, "NEEDED_MEMORY_GIB", 0)
    monkeypatch.setattr(preflight, "UNSHARE", ("true",))


def test_who_is_not_root_and_has_no_room_is_told_both(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(preflight, "NEEDED_DISK_GIB", 1 << 20)
    monkeypatch.setattr(preflight, "NEEDED_MEMORY_GIB", 1 << 20)

    told = refusal(tmp_path)

    assert "the lab of testing can't run here; nothing was touched:" in told
    assert "user: namespaces and mounts need root, got uid 1000" in told
    assert "GiB free, expected 1048576" in told
    assert "GiB available, expected 1048576" in told
    assert not (tmp_path / "not-there-yet").exists()


def test_another_system_is_told_that_it_must_be_linux(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")

    assert "expected Linux, got Darwin" in refusal(tmp_path)


def test_a_kernel_without_overlays_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(preflight.KERNEL, "nosuchfs", "nothing")

    told = refusal(tmp_path)

    assert "kernel: no nosuchfs (nothing)" in told
    assert "overlay" not in told


def test_without_apt_each_missing_command_is_named_with_its_package(tmp_path, monkeypatch):
    known = shutil.which
    hidden = {"apt-get", "debootstrap", "systemd-nspawn"}
    monkeypatch.setattr(shutil, "which", lambda name: None if name in hidden else known(name))

    told = refusal(tmp_path)

    assert "no debootstrap on PATH (Debian's package debootstrap has it)" in told
    assert "no systemd-nspawn on PATH (Debian's package systemd-container has it)" in told


def test_root_of_a_container_is_told_that_it_may_not(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "UNSHARE", ("sh", "-c", "echo no way >&2; exit 1"))

    assert "user: namespaces can't be made, even by root: no way" in refusal(tmp_path)
