"""The marks of the cases, for whoever looks at them without running any."""

from __future__ import annotations

import pytest

from tests.lab.database.case import MARKS


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
