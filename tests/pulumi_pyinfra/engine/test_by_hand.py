"""The same deploy runs by pyinfra's own command line, when Pulumi is not at hand."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh
from .project import ROOT

pytestmark = pytest.mark.engine


def pyinfra(project, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [
            ROOT / ".venv/bin/pyinfra",
            "pulumi_pyinfra.by_hand.hosts",
            "pulumi_pyinfra.by_hand.deploy",
            *arguments,
        ],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:.", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_command_line_sees_and_repairs_what_the_engine_would(project, hosts, tmp_path):
    with running(tmp_path / "a") as a, running(tmp_path / "bastion") as bastion:
        wanted = hosts("a")
        through = over_ssh(bastion, host_keys=None)
        wanted["a"]["ssh"] = over_ssh(a, host_keys=None, bastion=through)
        project.want(wanted)
        project.pulumi("config", "set", "--secret", "canary", "canary-9f1c55e0")
        project.up()
        export = tmp_path / "export.json"
        project.pulumi("stack", "export", "--show-secrets", "--file", str(export))
        page = hosts.folder / "a" / "page.txt"
        page.write_text("by hand\n")

        dry = pyinfra(project, "--dry", STACK_EXPORT=str(export))
        assert page.read_text() == "by hand\n", dry
        run = pyinfra(project, "-y", STACK_EXPORT=str(export))

        assert "Write the page" in dry
        assert page.read_text() == "hello\ncanary-9f1c55e0", run
        assert a.sessions == bastion.sessions == 3
        assert "canary-9f1c55e0" not in dry + run
        project.refresh("--expect-no-changes")


def test_an_export_that_is_still_encrypted_is_said_to_be_so(project, hosts, tmp_path):
    project.want(hosts("a"))
    project.up()
    export = tmp_path / "export.json"
    project.pulumi("stack", "export", "--file", str(export))

    told = pyinfra(project, "--dry", STACK_EXPORT=str(export))
    other = pyinfra(project, "--dry", STACK_EXPORT=str(export), GROUP="other")

    assert "the secrets in it are encrypted: export with --show-secrets" in told
    assert "GROUP: expected one of group, got other" in other
