"""A plan tells what would change, and changes nothing."""

from __future__ import annotations

import subprocess

import pytest

from pulumi_pyinfra.protocol import Broken, Connected, Finished, Host, Unknown, Unreachable
from pulumi_pyinfra.typed import UNKNOWN

from .asking import ask, ended, of, over_ssh, snapshot, statuses, wanted


@pytest.fixture(scope="module")
def planned(tmp_path_factory, server):
    """Plan, apply, and plan again with other arguments, each with what is seen of the host."""
    root = tmp_path_factory.mktemp("host")
    hosts = [Host(name="db", ssh=over_ssh(server), arguments={"root": str(root)})]
    told = {"new": ask(wanted("plan", "files:site", hosts))}
    told["applied"] = ask(wanted("apply", "files:site", hosts))
    before = snapshot(root)
    told["same"] = ask(wanted("plan", "files:site", hosts))
    edit = {"greeting": "bye", "mode": 600}
    told["edited"] = ask(wanted("plan", "files:site", hosts, arguments=edit))
    return root, told, before, snapshot(root)


def test_nothing_on_the_host_changes(planned):
    _, _, before, after = planned

    assert len(before) > 5
    assert before == after


def test_on_a_new_host_everything_would_change(planned):
    _, told, *_ = planned

    assert set(statuses(told["new"])) == {"changes"}
    assert of(Finished, told["new"])[0].changed == 7


def test_after_it_was_applied_nothing_would_change(planned):
    _, told, *_ = planned

    assert set(statuses(told["applied"])) == {"changed"}
    assert set(statuses(told["same"])) == {"unchanged"}
    assert not any(op.at_least for op in ended(told["same"]).values())


@pytest.mark.parametrize(
    ("operation", "file", "old", "new"),
    [
        ("Write the page", "site/page.txt", "hello", "bye"),
        ("Write the settings", "site/settings.conf", "greeting = hello", "greeting = bye"),
        ("Set the greeting", "greetings", "greeting=hello", "greeting=bye"),
        ("Write the block", "block", "greeting hello", "greeting bye"),
    ],
)
def test_an_edit_of_text_is_a_unified_diff(planned, operation, file, old, new):
    root, told, *_ = planned

    diff = ended(told["edited"])[operation].diff.splitlines()

    assert diff[:2] == [f"--- {root}/{file}", f"+++ {root}/{file}"]
    assert [f"-{old}", f"+{new}"] == [line for line in diff[3:] if line[0] in "+-"]


def test_what_the_diffs_say_is_what_is_done(planned, tmp_path, server):
    """The diffs of a plan, given to ``patch``, make the files that a run makes."""
    root, told, *_ = planned
    patched, edit = tmp_path / "patched", {"greeting": "bye", "mode": 600}
    subprocess.run(["cp", "-a", root, patched], check=True)
    for operation in ended(told["edited"]).values():
        if operation.diff:
            path = operation.diff.splitlines()[1].removeprefix(f"+++ {root}/")
            text = operation.diff.encode() + b"\n"
            subprocess.run(["patch", "-s", patched / path], input=text, check=True)
    done = tmp_path / "done"
    subprocess.run(["cp", "-a", root, done], check=True)
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(done), **edit})

    ask(wanted("apply", "files:site", [host]))

    for name in ("site/page.txt", "site/settings.conf", "greetings", "block"):
        assert (patched / name).read_text() == (done / name).read_text()


def test_modes_commands_and_what_is_no_text_are_told_in_words(planned):
    root, told, *_ = planned
    edited = ended(told["edited"])

    assert edited["Write the page"].details == (f"{root}/site/page.txt: mode 644 -> 600",)
    assert edited["Write the picture"].details == (
        f"{root}/site/picture: 259 bytes that are no text",
    )
    assert edited["Reload"].details == (f"run echo reload >> {root}/reloads",)


def test_what_depends_on_an_earlier_change_is_at_least(planned):
    _, told, *_ = planned
    edited = ended(told["edited"])

    assert {name for name, op in edited.items() if op.at_least} == {"Reload"}


def test_a_condition_that_would_not_hold_is_no_change(planned):
    _, told, *_ = planned

    assert ended(told["same"])["Reload"].status == "unchanged"


def test_what_only_a_run_can_know_is_unknown_and_no_error(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})

    events = ask(wanted("plan", "tool:tool", [host]))

    told = ended(events)
    assert statuses(events) == ["changes", "unknown", "unknown", "changes"]
    assert told["Ask the tool"].exit == 127
    assert told["Write a note"].at_least
    assert not of(Finished, events)[0].failed


def test_a_deploy_that_asks_what_only_a_run_can_know_is_unknown_from_there(tmp_path, server):
    arguments = {"root": str(tmp_path), "ask_first": True}
    host = Host(name="db", ssh=over_ssh(server), arguments=arguments)

    events = ask(wanted("plan", "tool:tool", [host]))

    assert statuses(events) == ["changes", "unknown"]
    assert list(ended(events)) == ["Install the tool", "the rest of the deploy"]


def test_what_a_run_would_miss_too_is_told_as_a_failure(tmp_path, server):
    arguments = {"root": str(tmp_path), "install": False}
    host = Host(name="db", ssh=over_ssh(server), arguments=arguments)

    events = ask(wanted("plan", "tool:tool", [host]))

    assert statuses(events)[0] == "failed"
    assert "not found" in ended(events)["Ask the tool"].output
    assert of(Finished, events)[0].failed


def test_an_unreachable_host_is_told_and_holds_up_nobody(tmp_path, server):
    def host(name, **changes):
        return Host(name=name, ssh=over_ssh(server, **changes), arguments={"root": str(tmp_path)})

    # The test network of RFC 5737: nobody answers, not even with a refusal.
    silent = {"address": "192.0.2.1", "connect_timeout": 0.5}
    wrong_key = {"host_keys": ("ssh-ed25519 " + "A" * 68,)}
    hosts = [
        host("db"),
        host("silent", **silent),
        host("other", **wrong_key),
        host("no", user="no"),
    ]

    events = ask(wanted("plan", "files:site", hosts))

    assert {e.host for e in of(Unreachable, events)} == {"silent", "other", "no"}
    assert [e.host for e in of(Finished, events)] == ["db"]
    assert of(Connected, events)[0].host_key == server.host_key


def test_hosts_whose_deploys_branch_keep_their_own_names(tmp_path, server):
    def host(name, install):
        arguments = {"root": str(tmp_path), "install": install}
        return Host(name=name, ssh=over_ssh(server), arguments=arguments)

    events = ask(wanted("plan", "tool:branching", [host("a", True), host("b", False)]))

    assert list(ended(events, "a")) == ["Lead"]
    assert list(ended(events, "b")) == ["Follow"]


def test_a_deploy_that_raises_is_broken_with_file_and_line(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})

    events = ask(wanted("plan", "tool:raising", [host]))

    (broken,) = of(Broken, events)
    assert "tests/pulumi_pyinfra/deploys/tool.py:" in broken.reason
    assert broken.reason.endswith(f"LookupError: no such thing in {tmp_path}")


@pytest.mark.parametrize("install", [True, False])
def test_a_deploy_that_changes_hosts_while_it_is_read_is_stopped(tmp_path, server, install):
    arguments = {"root": str(tmp_path), "install": install}
    host = Host(name="db", ssh=over_ssh(server), arguments=arguments)

    events = ask(wanted("plan", "tool:careless", [host]))

    assert "a plan only reads facts" in of(Broken, events)[0].reason
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("deploy", "reason"),
    [
        ("nowhere:site", "ModuleNotFoundError"),
        ("files:nothing", "has no function nothing"),
        ("tool:without_contract", "must take one parameter"),
    ],
)
def test_a_deploy_that_is_not_there_is_broken(deploy, reason):
    (event,) = ask(wanted("plan", deploy, [Host(name="db", connector="local")]))

    assert isinstance(event, Broken)
    assert reason in event.reason


def test_arguments_that_are_not_known_yet_open_no_connection(tmp_path, server):
    before = server.sessions
    arguments = {"root": str(tmp_path), "greeting": UNKNOWN}

    events = ask(
        wanted("plan", "files:site", [Host(name="db", ssh=over_ssh(server), arguments=arguments)])
    )

    assert events == [Unknown(host="db", paths=("greeting",))]
    assert server.sessions == before


def test_the_name_of_a_deploy_within_a_deploy_is_kept(tmp_path):
    host = Host(name="here", connector="local", arguments={"root": str(tmp_path)})

    events = ask(wanted("plan", "tool:nested", [host]))

    assert "Tool | Install the tool" in ended(events)
