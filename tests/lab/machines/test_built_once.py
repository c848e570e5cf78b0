"""What is built once: base images and package repositories."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from lab.machines import BaseImage, PackageRepository
from lab.machines.built_once import built_once, logged
from lab.machines.host import HostError


def test_it_is_built_once_and_its_log_is_kept(tmp_path):
    built = []

    def build(folder, log):
        built.append(folder)
        log.write("said")
        (folder / "file").touch()

    for _ in range(2):
        assert (built_once(tmp_path / "image", build) / "file").exists()
    assert len(built) == 1
    assert (tmp_path / "image.log").read_text() == "said"


def build_until_killed(folder, log):
    (folder / "half").touch()
    logged(log, "sh", "-c", "sleep 600; true", apart=True)


def test_a_killed_build_leaves_nothing_that_looks_finished_and_nobody_behind(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=built_once, args=(tmp_path / "image", build_until_killed)
    )
    process.start()
    deadline = time.monotonic() + 30
    while not sleepers(tmp_path):
        assert time.monotonic() < deadline
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    assert not (tmp_path / "image").exists()
    while sleepers(tmp_path):
        assert time.monotonic() < deadline
    finished = built_once(tmp_path / "image", lambda folder, _: (folder / "whole").touch())
    assert [path.name for path in finished.iterdir()] == ["whole"]


def sleepers(folder):
    """Return the processes that write into the log of a build."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text()
            if name == "sleep\n" and folder in (process / "fd/1").readlink().parents:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_failed_build_says_what_was_said_and_leaves_nothing(tmp_path):
    def build(_, log):
        logged(log, "sh", "-c", "echo no such suite; exit 3")

    with pytest.raises(HostError, match=r"exit 3.*\n.*\n?no such suite"):
        built_once(tmp_path / "image", build)
    assert not (tmp_path / "image").exists()


def test_an_image_is_named_after_what_is_in_it(tmp_path):
    plain = BaseImage(cache=tmp_path)

    assert plain.folder == BaseImage(cache=tmp_path).folder
    assert plain.folder != BaseImage(cache=tmp_path, packages=("etcd-server",)).folder


def test_packages_for_another_image_are_another_repository(tmp_path):
    image = BaseImage(cache=tmp_path)
    other = BaseImage(cache=tmp_path, packages=("etcd-server",))

    one = PackageRepository(packages=("jq",), image=image)

    assert one.folder == PackageRepository(packages=("jq",), image=image).folder
    assert one.folder != PackageRepository(packages=("jq",), image=other).folder
    assert one.folder != PackageRepository(packages=("tree",), image=image).folder
