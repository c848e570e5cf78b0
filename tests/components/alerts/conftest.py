"""promtool, for the tests of all alerts."""

from __future__ import annotations

import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def promtool(tmp_path_factory) -> str:
    """The program of Prometheus that tests rules: this computer's, or Debian's, not installed."""
    if found := shutil.which("promtool"):
        return found
    folder = tmp_path_factory.mktemp("prometheus")
    folder.chmod(0o755)
    subprocess.run(["apt-get", "-qq", "download", "prometheus"], cwd=folder, check=True)
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    return str(folder / "usr/bin/promtool")
