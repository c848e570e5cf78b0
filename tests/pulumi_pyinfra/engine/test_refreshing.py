"""A refresh sees what differs inside hosts, and the next update repairs it."""

from __future__ import annotations

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh

pytestmark = pytest.mark.engine


def test_drift_is_found_and_repaired_by_the_next_update(project, hosts):
    project.want(hosts("a", "b"))
    project.up()
    (hosts.folder / "a" / "page.txt").write_text("by hand\n")

    found = project.pulumi("refresh", "--yes", "--expect-no-changes", check=False)
    drift = project.outputs()["drift"]
    planned = project.preview("--diff")
    project.up()

    assert found.returncode != 0
    assert "1 of 2 hosts would change" in found.stdout
    assert drift == {"a": ["Write the page", "Count", "Say who is changed"]}
    assert "-by hand" in planned
    assert project.outputs()["drift"] == {}
    assert hosts.read("a") == "hello\nnone"
    project.pulumi("refresh", "--yes", "--expect-no-changes")
    assert hosts.written("b") == 1


def test_a_host_that_does_not_answer_is_a_warning_and_no_drift(project, hosts, tmp_path):
    with running(tmp_path / "server") as server:
        wanted = hosts("a", "b")
        wanted["b"]["ssh"] = over_ssh(server)
        project.want(wanted)
        project.up()

    told = project.refresh("--expect-no-changes")

    assert "warning: b: unreachable: " in told or "b: unreachable: " in told
    assert project.outputs()["drift"] == {}


def test_what_can_no_longer_be_looked_at_is_drift(project, hosts):
    project.want(hosts("a"))
    project.up()
    (hosts.folder / "a" / "page.txt").unlink()
    (hosts.folder / "a" / "page.txt").mkdir()

    told = project.refresh()

    assert "Write the page" in project.outputs()["drift"]["a"]
    assert "! Write the page" in told


def test_an_edit_that_was_not_applied_yet_is_told_apart(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "templates" / "page.txt").write_text("TEXT!\n")

    told = project.refresh()

    assert "deploys.page:page was edited since the last update" in told
