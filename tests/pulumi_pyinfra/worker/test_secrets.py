"""No secret of a request leaves the worker, in whatever form it comes back."""

from __future__ import annotations

import base64
import json
import shlex
import sys
from subprocess import PIPE, Popen
from urllib.parse import quote

import pytest

from pulumi_pyinfra.protocol import Host
from pulumi_pyinfra.worker.masking import MASK, Masker

from .asking import PROGRAM, over_ssh, say, wanted

PIPES = {"cwd": PROGRAM, "stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
CANARY = "c4n4ry 'with\" quotes & ünicode/+"
KEY = "-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line-of-it\nshort\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        f"before{CANARY}after",
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"user:{CANARY}".encode()).decode(),
        base64.b64encode(f"us:{CANARY}, and more".encode()).decode(),
        shlex.quote(CANARY),
        shlex.quote(f"sh -c {shlex.quote(CANARY)}"),
        quote(CANARY, safe=""),
        json.dumps({"password": CANARY}),
        repr([CANARY]),
    ],
)
def test_a_secret_is_masked_in_every_form(form):
    masked = Masker([CANARY]).mask(f"it is {form} here")

    assert MASK in masked
    assert "c4n4ry" not in masked
    assert base64.b64encode(CANARY.encode()).decode()[4:12] not in masked
    assert masked.startswith("it is ")
    assert masked.endswith(" here")


def test_each_longer_line_of_a_secret_is_one():
    masker = Masker([KEY])

    assert masker.mask("+second-line-of-it") == f"+{MASK}"
    assert masker.mask(KEY) == MASK
    assert masker.mask("short") == "short"


def test_nothing_is_masked_where_nothing_is_secret():
    assert Masker(["", ""]).mask("hello") == "hello"


@pytest.mark.parametrize(
    ("action", "deploy", "more"),
    [
        ("plan", "secret:show", {}),
        ("apply", "secret:show", {}),
        ("apply", "secret:fail", {}),
        ("plan", "secret:shout", {}),
        ("apply", "secret:shout", {}),
        ("check", "secret:show", {"nonsense": CANARY}),
        ("probe", "secret:fail", {}),
    ],
)
def test_a_planted_secret_is_seen_nowhere(tmp_path, server, action, deploy, more):
    arguments = {"root": str(tmp_path), "password": CANARY, **more}
    host = Host(name="db", ssh=over_ssh(server), arguments=arguments)
    told = {"secrets": (CANARY,), "deadline": 0.5, "interval": 1, "debug": True}

    code, said = say(wanted(action, deploy, [host], **told).to_json())

    assert code == 0, said
    assert '{"event": "done"}' in said
    assert MASK in said or action == "check"
    assert "c4n4ry" not in said
    assert base64.b64encode(CANARY.encode()).decode()[4:12] not in said
    assert not [line for line in server.private_key.splitlines() if len(line) > 30 and line in said]
    assert "c4n4ry" not in server.log


def test_what_prints_by_itself_does_not_break_the_protocol(tmp_path):
    host = Host(name="here", connector="local", arguments={"root": str(tmp_path), "password": "x"})

    with Popen([sys.executable, "-m", "pulumi_pyinfra.worker"], **PIPES) as process:
        process.stdin.write(wanted("plan", "secret:shout", [host]).to_json().encode() + b"\n")
        process.stdin.flush()
        said = iter(process.stdout.readline, b"")
        # As JSON each of them: nothing stands between.
        assert "done" in (json.loads(line)["event"] for line in said)
        process.stdin.close()
        assert process.stdout.read() == b""
        printed = process.stderr.read()

    assert b"printed below Python" in printed


@pytest.mark.parametrize("line", ["", "nonsense", "[]", '{"action": "plan", "more": "c4n4ry"}'])
def test_a_request_that_can_not_be_read_is_refused_without_being_shown(line):
    code, said = say(line)

    assert code == 1
    assert [json.loads(event)["event"] for event in said.splitlines()] == ["broken", "done"]
    assert "c4n4ry" not in said
