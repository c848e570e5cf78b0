"""A cluster for each test file, and projects in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .api import Api
from .control_plane import control_plane
from .kubelet import kubelet
from .project import Project


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Api]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as api, kubelet(api):
        yield api


@pytest.fixture
def project(tmp_path, cluster) -> Iterator[Project]:
    """A project of one test; what it made is destroyed after it."""
    project = Project(tmp_path / "project", cluster.kubeconfig)
    yield project
    project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def shared(tmp_path_factory, cluster) -> Project:
    """A project that the tests of a file share, in their order."""
    return Project(tmp_path_factory.mktemp("shared") / "project", cluster.kubeconfig)
