"""A project and hosts for each test, and three servers for those that break things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulumi_pyinfra.sshd import Sshd

from .hosts import Hosts
from .project import Project
from .three_hosts import Group, three_servers


@pytest.fixture
def hosts(tmp_path) -> Hosts:
    return Hosts(tmp_path / "hosts")


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> Iterator[dict[str, Sshd]]:
    with three_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def group(tmp_path: Path, servers: dict[str, Sshd]) -> Iterator[Group]:
    group = Group(tmp_path, servers)
    yield group
    group.hosts.let_go()
    group.kill_all()
