"""A preview tells what would change inside hosts, and changes nothing."""

from __future__ import annotations

import os
import socket
import time

import pytest

from tests.pulumi_pyinfra.machine import machine
from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh

pytestmark = pytest.mark.engine


def test_a_preview_tells_each_operation_that_would_change_something(project, hosts):
    project.want(hosts("a", "b"))

    told = project.preview()

    assert "2 of 2 hosts would change, 6 operations in all" in told
    assert "a: at least 3 of 3 operations would change" in told
    assert "~ Write the page" in told
    assert hosts.read("a") is None


def test_diffs_are_told_when_they_are_asked_for(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "templates" / "page.txt").write_text("TEXT!\n")

    short, long = project.preview(), project.preview("--diff")

    assert "~ Write the page" in short
    assert "-hello" not in short
    assert "-hello\n" in long
    assert "+hello!\n" in long


def test_what_pyinfra_logs_is_told_when_it_is_asked_for(project, hosts):
    project.want(hosts("a"))

    assert "Getting fact: files.File" in project.preview("--debug")
    assert "Getting fact" not in project.preview()


def test_hosts_that_would_change_alike_are_told_of_once(project):
    project.want({name: {} for name in "abc"}, deploy="deploys.system:system")

    told = project.preview()

    assert "a, b, c: at least " in told
    assert told.count("~ Add a line") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file system for a machine")
def test_a_preview_writes_nothing_on_a_host(project, tmp_path):
    with machine(tmp_path / "machine") as one:
        project.want({"a": {"ssh": over_ssh(one.server)}}, deploy="deploys.system:system")

        told = project.preview("--diff")

        assert "a: at least 12 of 13 operations would change" in told
        assert "+192.0.2.1 canary" in told
        assert one.server.sessions == 1
        assert one.written() == {}


def test_a_host_that_is_not_made_yet_is_said_to_be_so(project, hosts):
    program = project.folder / "__main__.py"
    project.want(hosts("a", "b"))
    known = "connector=connector(host),"
    assert known in program.read_text()
    before = """
first = Deploy("first", DeployArgs(deploy="deploys.page:page", hosts={
    "first": Host(connector="local", arguments={"folder": "first"})}))
def later(host):
    made = first.applied.apply(lambda _: "127.0.0.1")
    return Ssh(address=made, user="root", private_key="none")
hosts ="""
    text = program.read_text().replace("hosts =", before.lstrip(), 1)
    program.write_text(text.replace(known, 'connector=later(host) if name == "b" else "local",'))

    told = project.preview()

    assert "b: does not exist yet; everything will be done" in told
    assert "a: at least 3 of 3 operations would change" in told


@pytest.mark.parametrize("whole", [False, True], ids=["one value", "all of them"])
def test_arguments_that_are_not_known_yet_are_said_to_be_so(project, hosts, whole):
    program = project.folder / "__main__.py"
    project.want(hosts("a"))
    given = 'arguments=host.get("arguments", {}),'
    assert given in program.read_text()
    before = """
first = Deploy("first", DeployArgs(deploy="deploys.page:page", hosts={
    "first": Host(connector="local", arguments={"folder": "first"})}))
def later(told):
    text = first.applied.apply(lambda _: "text")
    return text.apply(lambda _: told) if WHOLE else {**told, "text": text}
hosts ="""
    before = before.lstrip().replace("WHOLE", str(whole))
    text = program.read_text().replace("hosts =", before, 1)
    program.write_text(text.replace(given, 'arguments=later(host["arguments"]),'))

    told = project.preview()

    assert ("a: its arguments are not known yet" if whole else "a: not known yet: text") in told


def test_hosts_that_do_not_answer_are_said_to_be_so_all_at_once(project, hosts, tmp_path):
    with running(tmp_path / "here") as here, socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen(100)
        gone = over_ssh(here, port=silent.getsockname()[1])
        wanted = hosts("here", *(f"gone{n}" for n in range(10)))
        for name, host in wanted.items():
            host["ssh"] = over_ssh(here) if name == "here" else gone
        project.want(wanted)
        began = time.monotonic()

        told = project.preview()

    # Ten after each other would take 50 s.
    assert time.monotonic() - began < 25
    said = [line.partition(": unreachable: ") for line in told.splitlines()]
    unreachable = {name for names, found, _ in said if found for name in names.split(", ")}
    assert {f"gone{n}" for n in range(10)} <= {name.split()[-1] for name in unreachable}
    assert "here: at least 3 of 3 operations would change" in told
