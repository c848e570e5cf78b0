"""What happens on a host that is taken out of the group, or whose group is deleted."""

from __future__ import annotations

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh

pytestmark = pytest.mark.engine
LEAVE = {"leave": "deploys.page:gone"}


def test_a_host_that_leaves_runs_its_leave_deploy_with_those_who_stay(project, hosts):
    project.want(hosts("a", "b", "c"), **LEAVE)
    project.up()
    project.want(hosts("a", "c"), **LEAVE)

    planned = project.preview()
    project.up()

    assert "b: leaves the group and runs deploys.page:gone first" in planned
    assert hosts.read("b", "left") == "a c\n"
    assert hosts.read("a", "left") is None
    project.up("--expect-no-changes")


def test_a_host_that_may_not_leave_stays_and_leaves_later(project, hosts):
    needed = hosts.mark("b", "needed")
    project.want(hosts("a", "b"), **LEAVE)
    project.up()
    project.want(hosts("a", a={"text": "new"}), **LEAVE)

    told = project.up(check=False)

    assert "b may not leave: b: Prove the quorum: failed" in told
    assert hosts.read("a") == "hello\nnone"
    assert "b" in project.outputs()["hosts"]

    needed.unlink()
    project.up()

    assert hosts.read("b", "left") == "a\n"
    assert hosts.read("a") == "new\nnone"
    assert "b" not in project.outputs()["hosts"]
    project.up("--expect-no-changes")


def test_a_host_that_is_gone_for_good_leaves_without_being_asked(project, hosts, tmp_path):
    with running(tmp_path / "server") as server:
        wanted = hosts("a", "b")
        wanted["b"]["ssh"] = over_ssh(server)
        project.want(wanted, **LEAVE)
        project.up()
    project.want(hosts("a"), **LEAVE)

    refused = project.up(check=False)
    project.want(hosts("a"), **LEAVE, gone=["b"])
    told = project.up()

    assert "b may not leave: b: " in refused
    assert "can't be reached" in refused
    assert "b: is gone for good, as the program says" in told
    project.up("--expect-no-changes")


def test_deleting_leaves_the_host_as_it_is_and_says_so(project, hosts):
    project.want(hosts("a"))
    project.up()

    told = project.pulumi("destroy", "--yes", "--skip-preview").stdout

    assert "the hosts are left as they are" in told
    assert hosts.read("a") == "hello\nnone"


def test_deleting_runs_what_is_to_run_and_warns_of_a_host_that_is_gone(project, hosts, tmp_path):
    with running(tmp_path / "server") as server:
        wanted = hosts("a", "b")
        wanted["b"]["ssh"] = over_ssh(server)
        project.want(wanted, on_delete="deploys.page:cleaned")
        project.up()

    told = project.pulumi("destroy", "--yes", "--skip-preview").stdout

    assert "warning: not cleaned: b: " in told
    assert (hosts.read("a"), hosts.read("b")) == (None, "hello\nnone")
