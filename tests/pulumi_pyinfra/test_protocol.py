"""What crosses the pipe comes out as it went in, and nothing else comes through."""

from __future__ import annotations

import json

import pytest

from pulumi_pyinfra.protocol import (
    Action,
    Broken,
    Connected,
    Done,
    Fault,
    Finished,
    Host,
    Operation,
    ProtocolError,
    Request,
    Ssh,
    Status,
    Unknown,
    Unreachable,
    event_from_json,
    event_to_json,
)

BASTION = Ssh(address="192.0.2.1", user="jump", private_key="bastion key", host_keys=("k",))
REQUEST = Request(
    action=Action.APPLY,
    deploy="hosts.web:web",
    path="/program",
    hosts=(
        Host(
            name="a",
            arguments={"port": 1},
            ssh=Ssh(address="10.0.0.1", user="me", private_key="the key", bastion=BASTION),
        ),
        Host(name="b", connector="local"),
        Host(name="c", chroot="/srv/root"),
    ),
    arguments={"word": "hidden"},
    secrets=("hidden",),
)
EVENTS = [
    Connected(host="a", host_key="ssh-ed25519 AAAA", seconds=0.1),
    Unreachable(host="a", reason="no"),
    Operation(
        host="a", name="Write", status=Status.CHANGES, diff="--- a", details=("x",), at_least=True
    ),
    Operation(host="a", name="Run", status=Status.FAILED, command="false", exit=1, output="no"),
    Finished(host="a", changed=1, unchanged=2, skipped=3, failed=True, seconds=0.5),
    Fault(path="port", reason="missing"),
    Unknown(host="a", paths=("port",)),
    Broken(reason="no"),
    Done(),
]


def test_a_request_survives_its_line():
    line = REQUEST.to_json()

    assert "\n" not in line
    assert Request.from_json(line) == REQUEST


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event):
    line = event_to_json(event)

    assert "\n" not in line
    assert event_from_json(line) == event


def test_no_secret_is_in_what_a_request_looks_like():
    shown = repr(REQUEST)

    assert not [word for word in ("hidden", "the key", "bastion key") if word in shown]


def test_private_keys_are_secrets_by_themselves():
    assert set(REQUEST.all_secrets()) == {"hidden", "the key", "bastion key"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"more": 1}, "more: unknown key"),
        ({"action": "plann"}, "action: expected one of check, plan, apply, probe, ask, got plann"),
        ({"hosts": {}}, "hosts: expected a list"),
        ({"hosts": [{"name": "a", "ssh": {"address": "x"}}]}, "hosts[0].ssh.user: missing"),
        ({"hosts": [{"name": "a", "connector": "local", "chroot": "/"}]}, "got several"),
        ({"sudo": "yes"}, "sudo: expected true or false"),
        ({"deploy": "<not known yet>"}, "deploy: not known yet"),
    ],
)
def test_a_request_that_is_not_the_protocols_is_refused(change, fault):
    line = json.dumps(json.loads(REQUEST.to_json()) | change)

    with pytest.raises(ProtocolError) as refused:
        Request.from_json(line)

    assert fault in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"event": "done", "more": 1}'])
def test_a_line_that_is_no_event_is_refused(line):
    with pytest.raises(ProtocolError):
        event_from_json(line)
