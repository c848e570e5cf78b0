"""pyinfra's own SSH connector and ours come to the same, whatever is asked of them.

What is asked follows from a seed, another one each time; ``SEED=7 pytest ...`` repeats one.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys

import pytest

from tests.pulumi_pyinfra.sshd import Sshd


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("SEED") or secrets.randbelow(1_000_000))


def differences(server: Sshd, what: str, seed: int, *, at_least: int) -> str:
    """Do it both ways, and return what did not come to the same, as text."""
    where = {
        "address": server.address,
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "host_key": server.host_key,
        "folder": str(server.folder),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.pulumi_pyinfra.connector.same", what, str(seed)],
        input=json.dumps(where),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"SEED={seed}: {done.stderr}"
    said = json.loads(done.stdout)
    assert len(said["ours"]) >= at_least
    pairs = zip(said["theirs"], said["ours"], strict=True)
    return "\n".join(
        f"SEED={seed}\npyinfra: {json.dumps(theirs)[:2000]}\nours:    {json.dumps(ours)[:2000]}"
        for theirs, ours in pairs
        if theirs != ours
    )


def test_random_commands_have_the_same_exit_code_and_output(shell, seed):
    differing = differences(shell, "commands", seed, at_least=26)

    assert not differing, differing


def test_random_files_are_the_same_on_the_host(server, seed):
    differing = differences(server, "files", seed, at_least=2)

    assert not differing, differing


def test_a_random_deploy_plans_does_and_leaves_the_same(server, seed):
    differing = differences(server, "deploy", seed, at_least=12)

    assert not differing, differing
