"""A database tier for each test file that wants one, and nothing of it after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.machines.conftest import a_lab, image

from .tier import Tier

__all__ = ["image"]


@pytest.fixture(scope="module")
def fresh(image) -> Iterator[Tier]:
    """Three machines that nobody has changed yet."""
    with a_lab(image) as lab:
        tier = Tier(lab)
        tier.start(*tier.names)
        yield tier


@pytest.fixture(scope="module")
def tier(fresh) -> Tier:
    """Three machines that are a database."""
    fresh.apply()
    return fresh
