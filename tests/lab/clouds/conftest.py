"""The lab's clouds, and projects that use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.clouds import Cloud, Records
from lab.clouds.cloudflare import cloudflare
from lab.clouds.hetzner import hetzner

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
