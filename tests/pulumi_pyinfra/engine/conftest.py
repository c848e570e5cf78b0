"""A project and hosts for each test."""

from __future__ import annotations

import pytest

from .hosts import Hosts
from .project import Project


@pytest.fixture
def hosts(tmp_path) -> Hosts:
    return Hosts(tmp_path / "hosts")


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path / "project")
