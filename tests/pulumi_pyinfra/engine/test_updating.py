"""An update brings each host once to what is wanted, in the order that is wanted."""

from __future__ import annotations

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh

pytestmark = pytest.mark.engine


def test_an_update_does_it_once(project, hosts):
    project.want(hosts("a", "b"))

    told = project.up()
    project.up("--expect-no-changes")

    assert hosts.read("a") == hosts.read("b") == "hello\nnone"
    assert told.count("b: Write the page: changed") == 1
    assert hosts.written("a") == hosts.written("b") == 1


def test_a_deploy_is_told_whether_the_group_ever_was_what_was_wanted(project, hosts):
    wanted = hosts("a", a={"broken": True})
    wanted["a"]["machine"] = "100"
    project.want(wanted)
    project.up(check=False)
    assert (hosts.read("a", "settled"), project.outputs()["settled"]) == ("False\n", False)

    wanted["a"]["arguments"] |= {"broken": False, "text": "right"}
    project.want(wanted)
    project.up()
    assert (hosts.read("a", "settled"), project.outputs()["settled"]) == ("False\n", True)

    wanted["a"]["arguments"] |= {"broken": True, "text": "lost"}
    wanted["a"]["machine"] = "101"
    for _ in range(2):  # what is reached of the new machine does not matter
        project.want(wanted)
        project.up(check=False)
        assert (hosts.read("a", "settled"), project.outputs()["settled"]) == ("True\n", True)
        wanted["a"]["arguments"]["text"] = "again"


def test_an_update_without_a_change_opens_no_connection(project, hosts, tmp_path):
    with running(tmp_path / "server") as server:
        wanted = hosts("a")
        wanted["a"]["ssh"] = over_ssh(server)
        project.want(wanted)
        project.up()
        before = server.log.count("Connection from")

        project.preview("--expect-no-changes")
        project.up("--expect-no-changes")

        assert before > 0
        assert server.log.count("Connection from") == before


def test_an_update_logs_in_to_a_host_once_whatever_it_asks_there(project, hosts, tmp_path):
    with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
        wanted = hosts("a", "b")
        wanted["a"]["ssh"], wanted["b"]["ssh"] = over_ssh(a, host_keys=None), over_ssh(b)
        rollout = {"last_if": "deploys.page:leads", "probe": "deploys.page:healthy"}
        project.want(wanted, rollout=rollout)

        project.up()

        assert (a.sessions, b.sessions) == (1, 1)
        assert hosts.order == "ab"


def test_one_change_touches_one_host(project, hosts, tmp_path):
    with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
        wanted = hosts("a", "b")
        wanted["a"]["ssh"], wanted["b"]["ssh"] = over_ssh(a), over_ssh(b)
        project.want(wanted)
        project.up()
        before = a.sessions
        wanted["b"]["arguments"]["text"] = "other"
        project.want(wanted)

        project.up()

        assert hosts.read("b") == "other\nnone"
        assert a.sessions == before > 0


def test_an_edited_template_is_a_change(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "templates" / "page.txt").write_text("TEXT!\n")

    project.up()

    assert hosts.read("a") == "hello!\nnone"


def test_an_edit_elsewhere_is_no_change(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "unrelated.py").write_text("# a comment\n")

    project.up("--expect-no-changes")


def test_a_canary_is_changed_alone_and_the_last_come_at_the_end(project, hosts):
    rollout = {"serial": 10, "last": ["a", "b"]}
    project.want(hosts(*"abcde", d={"broken": True}), rollout=rollout)

    told = project.up(check=False)

    assert hosts.order[0] == "c"
    assert sorted(hosts.order) == ["c", "d", "e"]
    assert "untouched: a, b" in told


def test_who_leads_is_changed_last(project, hosts):
    hosts.mark("a", "leads")
    project.want(hosts(*"abc"), rollout={"last_if": "deploys.page:leads"})

    project.up()

    assert hosts.order == "bca"


def test_all_are_changed_together_until_one_was_what_is_wanted(project, hosts):
    rollout = {"together_at_first": True}
    wanted = hosts(*"abc", b={"broken": True})
    project.want(wanted, rollout=rollout)
    told = project.up(check=False)

    assert {*hosts.order} == {*"abc"}
    assert "untouched" not in told
    project.want(hosts(*"abc", a={"broken": True}), rollout=rollout)
    assert "untouched: b" in project.up(check=False)


def test_a_group_that_is_in_use_is_not_changed_together_whatever_the_state_knows(project, hosts):
    hosts.mark("a", "leads")
    rollout = {"together_at_first": True, "last_if": "deploys.page:leads"}
    project.want(hosts(*"abc", b={"broken": True}), rollout=rollout)

    assert "untouched: a, c" in project.up(check=False)


def test_a_function_that_can_not_tell_who_leads_stops_the_rollout(project, hosts):
    page = project.folder / "deploys" / "page.py"
    page.write_text(page.read_text().replace("return bool(", "raise OSError(wanted.text) or ("))
    project.want(hosts(*"ab"), rollout={"last_if": "deploys.page:leads"})

    told = project.up(check=False)

    assert "OSError: hello" in told
    assert hosts.order == ""


def test_a_host_that_is_not_healthy_stops_the_rollout(project, hosts):
    sick = hosts.mark("a", "sick")
    rollout = {"probe": "deploys.page:healthy", "probe_seconds": 2}
    project.want(hosts("a", "b"), rollout=rollout)

    told = project.up(check=False)

    assert "a: changed, but its probe deploys.page:healthy did not succeed within 2 s" in told
    assert "untouched: b" in told
    assert hosts.read("b") is None

    sick.unlink()
    project.up()

    assert hosts.read("b") == "hello\nnone"
    assert hosts.written("a") == 1
    project.up("--expect-no-changes")


def test_a_failure_stops_the_rollout_and_the_next_update_goes_on_there(project, hosts):
    names = ("a", "b", "c")
    project.want(hosts(*names, b={"broken": True}))

    told = project.up(check=False)

    assert "b: Fail: failed" in told
    assert "exit code 7" in told
    assert "command: echo why it failed >&2; exit 7" in told
    assert "        why it failed\n" in told
    assert "untouched: c" in told
    assert hosts.read("c") is None
    assert set(project.outputs()["applied"]) != set()

    project.want(hosts(*names))
    project.up()

    assert [hosts.read(name) for name in names] == ["hello\nnone"] * 3
    assert [hosts.written(name) for name in names] == [1, 1, 1]
    project.up("--expect-no-changes")


def test_another_machine_under_the_same_name_starts_anew(project, hosts):
    wanted = hosts("a", "b")
    wanted["a"]["machine"] = wanted["b"]["machine"] = "100"
    project.want(wanted)
    project.up()
    (hosts.folder / "a" / "page.txt").unlink()
    wanted["a"]["machine"] = "101"
    project.want(wanted)

    project.up()

    assert (hosts.written("a"), hosts.written("b")) == (2, 1)
