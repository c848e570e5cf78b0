"""A deploy is run on all hosts at once; a failure is told in full and stops its own host only."""

from __future__ import annotations

import time

import pytest

from pulumi_pyinfra.protocol import Broken, Finished, Host, Operation, Status

from .asking import ask, ended, of, over_ssh, statuses, wanted


@pytest.fixture(scope="module")
def failing(tmp_path_factory, server):
    """Two hosts, of which one fails at its third step."""
    good, bad = tmp_path_factory.mktemp("good"), tmp_path_factory.mktemp("bad")
    hosts = [
        Host(name="good", ssh=over_ssh(server), arguments={"root": str(good)}),
        Host(name="bad", ssh=over_ssh(server), arguments={"root": str(bad), "fail_at": 3}),
    ]
    request = wanted(
        "apply", "steps:steps", hosts, arguments={"word": "pass'word"}, secrets=("pass'word",)
    )
    return good, bad, ask(request)


def test_operations_run_in_order_and_are_told_live(failing):
    good, _, events = failing

    assert (good / "steps").read_text().split() == ["1", "2", "3", "4"]
    told = [(op.name, op.status) for op in of(Operation, events, "good")]
    assert told[:3] == [
        ("Step 1", Status.STARTED),
        ("Step 1", Status.CHANGED),
        ("Step 2", Status.STARTED),
    ]


def test_a_failure_stops_its_host_and_no_other(failing):
    _, bad, events = failing

    assert statuses(events, "bad") == ["changed", "changed", "failed", "skipped"]
    assert statuses(events, "good") == ["changed"] * 4
    assert (bad / "steps").read_text().split() == ["1", "2"]
    assert {e.host: e.failed for e in of(Finished, events)} == {"good": False, "bad": True}


def test_a_failure_carries_command_exit_code_and_the_last_lines_masked(failing):
    *_, events = failing

    failed = ended(events, "bad")["Step 3"]

    assert failed.exit == 3
    assert failed.command.startswith("for i in $(seq 1 30)")
    lines = failed.output.splitlines()
    assert (len(lines), lines[0]) == (20, "line 11 [secret]")


def test_a_second_run_changes_nothing(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})
    request = wanted("apply", "files:site", [host])
    ask(request)

    events = ask(request)

    assert set(statuses(events)) == {"unchanged"}
    assert of(Finished, events)[0].changed == 0


def test_a_fact_that_can_not_be_read_is_a_failure_and_no_guess(tmp_path, server):
    """pyinfra would go on with the fact's default value."""
    arguments = {"root": str(tmp_path), "install": False}
    host = Host(name="db", ssh=over_ssh(server), arguments=arguments)

    events = ask(wanted("apply", "tool:tool", [host]))

    assert statuses(events) == ["failed", "skipped", "skipped"]
    assert ended(events)["Ask the tool"].exit == 127
    assert not (tmp_path / "answer").exists()


def test_a_deploy_that_raises_runs_nothing_anywhere(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})

    events = ask(wanted("apply", "tool:raising", [host]))

    assert of(Broken, events)
    assert not (tmp_path / "never").exists()


def test_wrong_arguments_of_one_host_run_nothing_on_any(tmp_path):
    good = Host(name="a", connector="local", arguments={"root": str(tmp_path)})
    bad = Host(name="b", connector="local", arguments={"rot": str(tmp_path)})

    events = ask(wanted("apply", "steps:steps", [good, bad]))

    assert [type(event) for event in events] == [Broken]
    assert not (tmp_path / "steps").exists()


def test_a_serial_operation_runs_on_one_host_at_a_time_and_another_only_once(tmp_path, server):
    hosts = [
        Host(name=name, ssh=over_ssh(server), arguments={"root": str(tmp_path)}) for name in "abc"
    ]

    events = ask(wanted("apply", "steps:serial", hosts))

    assert not any(event.failed for event in of(Finished, events))
    assert (tmp_path / "steps").read_text().split().count("1") == 3
    assert (tmp_path / "steps").read_text().split().count("once") == 1


def test_hosts_do_not_wait_for_each_other(tmp_path, server):
    """One host's step waits for what another host does only later."""
    waiting, other = tmp_path / "waiting", tmp_path / "other"
    waiting.mkdir()
    other.mkdir()
    (waiting / "go").symlink_to(other / "steps")
    hosts = [
        Host(name="a", ssh=over_ssh(server), arguments={"root": str(waiting), "wait_at": 1}),
        Host(name="b", ssh=over_ssh(server), arguments={"root": str(other)}),
    ]

    events = ask(wanted("apply", "steps:steps", hosts))

    assert statuses(events, "a") == ["changed"] * 4


@pytest.mark.parametrize("connector", [{"connector": "local"}, {"chroot": "/"}])
def test_other_connectors_of_pyinfra_work_as_well(tmp_path, connector):
    host = Host(name="here", arguments={"root": str(tmp_path)}, **connector)

    events = ask(wanted("apply", "steps:steps", [host], arguments={"fail_at": 4}))

    assert statuses(events) == ["changed", "changed", "changed", "failed"]
    assert ended(events)["Step 4"].exit == 3


def test_a_probe_succeeds_once_its_checks_do(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})
    (tmp_path / "healthy").touch()

    events = ask(wanted("probe", "steps:healthy", [host]))

    assert not of(Finished, events)[0].failed
    assert not of(Operation, events)


def test_a_probe_tries_again_until_its_deadline_and_tells_what_failed_last(tmp_path, server):
    well, ill = tmp_path / "well", tmp_path / "ill"
    well.mkdir()
    ill.mkdir()
    (well / "healthy").touch()
    hosts = [
        Host(name="well", ssh=over_ssh(server), arguments={"root": str(well)}),
        Host(name="ill", ssh=over_ssh(server), arguments={"root": str(ill)}),
    ]

    events = ask(wanted("probe", "steps:healthy", hosts, deadline=1.5, interval=0.1))

    assert {e.host: e.failed for e in of(Finished, events)} == {"well": False, "ill": True}
    assert ended(events)["Look for health"].exit == 1
    assert (ill / "attempts").read_text().count("attempt") > 1
    assert (well / "attempts").read_text().count("attempt") == 1


def test_a_probe_that_hangs_ends_at_its_deadline(tmp_path, server):
    host = Host(name="db", ssh=over_ssh(server), arguments={"root": str(tmp_path)})
    start = time.monotonic()

    events = ask(wanted("probe", "steps:hanging", [host], deadline=1))

    (tmp_path / "go").touch()
    assert time.monotonic() - start < 10
    assert "time was up" in ended(events)["Hang"].output
