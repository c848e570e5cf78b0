"""K3s itself is taken once it could be downloaded; without it upstream Kubernetes plays it."""

from __future__ import annotations

import hashlib

import pytest

from lab.kubernetes import Distribution, RealK3s, release
from toolchain.cache import Cache, Stamp
from toolchain.cluster import K3S, K3S_FILES, REAL_K3S


@pytest.fixture
def tools(tmp_path) -> Cache:
    return Cache(tmp_path)


def put(tools: Cache, tool, file: str, content: bytes) -> None:
    with tools.staging() as staging:
        (staging / file).write_bytes(content)
        files = tools.place({f"real-k3s/{file}": staging / file})
    tools.record(
        tool.name, Stamp(version=K3S, source="official", recipe="", seconds=0, files=files)
    )


def test_without_it_there_is_the_stand_in(tools):
    assert isinstance(release(tools), Distribution)


def test_half_of_a_release_is_none(tools):
    put(tools, REAL_K3S[0], K3S_FILES[0], b"the program")

    assert isinstance(release(tools), Distribution)


def test_a_whole_release_is_what_the_stack_names_and_proves(tools):
    for tool, file in zip(REAL_K3S, K3S_FILES, strict=True):
        put(tools, tool, file, file.encode())

    chosen = release(tools)

    assert isinstance(chosen, RealK3s)
    assert chosen.settings() == {
        "version": f"v{K3S}",
        "mirror": str(tools.root / "real-k3s"),
        "sha256": {file: hashlib.sha256(file.encode()).hexdigest() for file in K3S_FILES},
    }


def test_a_program_that_was_changed_is_not_taken(tools):
    for tool, file in zip(REAL_K3S, K3S_FILES, strict=True):
        put(tools, tool, file, file.encode())
    (tools.root / "real-k3s/k3s").write_bytes(b"other")

    assert isinstance(release(tools), Distribution)
