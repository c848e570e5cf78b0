"""The machines of each stack, made once for all tests that only look at them."""

from __future__ import annotations

import pytest

from tests.components.machines.programs import DOCFAST, PRODUCTION, TESTING, program
from tests.recording import Deployment, run


@pytest.fixture(scope="session")
def testing() -> Deployment:
    return run(program(TESTING))


@pytest.fixture(scope="session")
def production() -> Deployment:
    return run(program(PRODUCTION), stack="production")


@pytest.fixture(scope="session")
def docfast() -> Deployment:
    return run(program(DOCFAST), stack="docfast")
