"""One SSH server for all tests of the worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pulumi_pyinfra.sshd import running


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder: all of it needs the server."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.ssh)
