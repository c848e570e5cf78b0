"""A cluster for each test file, and projects in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .api import Api
from .control_plane import control_plane
from .kubelet import kubelet
from .project import Project


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster(folder) -> Iterator[Api]:
    with control_plane(folder) as api, kubelet(api):
        yield api


@pytest.fixture(scope="module")
def kubeconfig(cluster, folder) -> str:
    return (folder / "kubeconfig").read_text()


@pytest.fixture
def project(tmp_path, kubeconfig) -> Iterator[Project]:
    """A project of one test; what it made is destroyed after it."""
    project = Project(tmp_path / "project", kubeconfig)
    yield project
    project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def shared(folder, kubeconfig) -> Project:
    """A project that the tests of a file share, in their order."""
    return Project(folder / "project", kubeconfig)
