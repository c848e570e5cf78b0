"""The lab's clouds, and projects that use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.clouds import Cloud, Records
from lab.clouds.cloudflare import cloudflare
from lab.clouds.hetzner import hetzner

from .edge import HOST, Edge, an_edge, an_origin
from .project import DOMAIN, Clouds, Project, clouds_in


@pytest.fixture
def flare(tmp_path) -> Cloud:
    """Cloudflare as records alone."""
    return cloudflare(Records(tmp_path / "cloudflare.json"), domain=DOMAIN)


@pytest.fixture
def hcloud(tmp_path) -> Cloud:
    """Hetzner as records alone."""
    return hetzner(Records(tmp_path / "hcloud.json"), project="tests")


@pytest.fixture
def clouds(tmp_path) -> Iterator[Clouds]:
    folder = tmp_path / "clouds"
    folder.mkdir()
    with clouds_in(folder) as made:
        yield made


@pytest.fixture
def project(tmp_path, clouds) -> Project:
    return Project(tmp_path / "project", clouds)


@pytest.fixture
def origin() -> Iterator[str]:
    with an_origin() as address:
        yield address


@pytest.fixture
def edge(flare, tmp_path) -> Iterator[Edge]:
    with an_edge(flare, tmp_path) as running:
        yield running


@pytest.fixture
def connected(edge, origin) -> Edge:
    """An edge with a connector and a rule for the host."""
    edge.route({"hostname": HOST, "service": origin})
    edge.connect()
    return edge
