"""SSH servers, and hosts on them with each of the shells that may be called ``sh``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyinfra.api.host import Host

from tests.pulumi_pyinfra.sshd import Sshd, running

from .hosts import QUICK, connected, host, target

NEEDED = {"sudo": "sudo", "su": "util-linux", "ps": "procps", "busybox": "busybox-static"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder: all of it needs the server."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.ssh)


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Say what is missing, instead of what then goes wrong."""
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if missing:
        pytest.fail(f"these tests need programs: apt-get install {' '.join(missing)}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd"), *QUICK) as sshd:
        yield sshd


@pytest.fixture(scope="session")
def there(server: Sshd) -> Iterator[Host]:
    """A connected host."""
    with connected(host(target(server))) as one:
        yield one


@pytest.fixture(scope="session", params=["dash", "busybox", "bash"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sshd]:
    """A server whose ``sh`` is one of those that Linux systems have."""
    program = shutil.which(request.param)
    assert program
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "bin").mkdir()
    (folder / "bin" / "sh").symlink_to(program)
    for above in (folder, *folder.parents[:3]):
        above.chmod(0o755)  # other users run it too
    variables = f"{QUICK[1]} PATH={folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with running(folder, QUICK[0], variables) as sshd:
        yield sshd


@pytest.fixture(scope="session")
def anywhere(shell: Sshd) -> Iterator[Host]:
    """A connected host with any of the shells."""
    with connected(host(target(shell))) as one:
        yield one
