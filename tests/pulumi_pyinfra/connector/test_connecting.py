"""The right host, by the right key, or a reason that names which of the two is wrong."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pulumi_pyinfra.connector import (
    HostKeyRefusedError,
    PermissionDeniedError,
    SshTarget,
    UnreachableError,
)
from tests.pulumi_pyinfra.sshd import free_port, running

from .hosts import QUICK, connected, host, hosts, run, target

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
NONE = serialization.NoEncryption()
OPENSSH = serialization.PrivateFormat.OpenSSH
PKCS8 = serialization.PrivateFormat.PKCS8
OLD = serialization.PrivateFormat.TraditionalOpenSSL
PEM = serialization.Encoding.PEM
KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def fails(where: SshTarget, error: type[Exception]) -> str:
    with pytest.raises(error) as raised:
        host(where).connect(raise_exceptions=True, show_errors=False)
    return str(raised.value)


def accepted(server):
    return server.log.count("Accepted publickey")


def failed(server):
    return server.log.count("Failed publickey")


def fingerprint(line: str) -> str:
    """What OpenSSH calls a public key."""
    command = ["ssh-keygen", "-l", "-f", "-"]
    said = subprocess.run(command, input=line, capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


def test_a_host_with_the_key_that_it_is_known_by_is_accepted(server):
    known = (OTHER, f"{server.host_key} a comment")

    with connected(host(target(server, host_keys=known))) as one:
        assert run(one, "echo here")[1] == ["here"]


def test_a_host_that_nobody_knows_yet_shows_its_key(server):
    with connected(host(target(server, host_keys=None))) as one:
        assert one.connector.host_key == server.host_key


@pytest.mark.parametrize("known", [(OTHER,), ()], ids=["another key", "no key"])
def test_a_wrong_host_is_refused_before_it_learns_who_we_are(server, known):
    before = accepted(server) + failed(server)

    reason = fails(target(server, host_keys=known), HostKeyRefusedError)

    named = re.findall(r"SHA256:\S+", reason)
    assert named == [fingerprint(key) for key in (server.host_key, *known)]
    assert accepted(server) + failed(server) == before


def test_the_same_host_is_expected_when_it_is_met_again(tmp_path):
    with running(tmp_path, *QUICK) as first:
        one = host(target(first, host_keys=None))
        with connected(one):
            pass
    for name in ("host", "host.pub"):
        (tmp_path / name).unlink()
    with running(tmp_path, *QUICK, port=first.port) as second:
        shown = re.escape(fingerprint(second.host_key))
        with pytest.raises(HostKeyRefusedError, match=shown):
            one.connect(raise_exceptions=True, show_errors=False)


def test_a_host_is_asked_for_the_kind_of_key_that_it_is_known_by(tmp_path):
    key = tmp_path / "rsa"
    make = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(key)]
    subprocess.run(make, check=True)
    known = " ".join((tmp_path / "rsa.pub").read_text().split()[:2])

    with (
        running(tmp_path / "sshd", *QUICK, f"HostKey {key}") as both,
        connected(host(target(both, host_keys=(known,)))) as one,
    ):
        assert one.connector.host_key == known


def test_a_wrong_key_is_offered_once_and_told_apart_from_a_host_that_is_away(server):
    wrong = key_text()
    before = failed(server), accepted(server)

    reason = fails(target(server, private_key=wrong, connect_attempts=5), PermissionDeniedError)

    assert (failed(server), accepted(server)) == (before[0] + 1, before[1])
    assert f"refuses {server.user} with the key SHA256:" in reason


@pytest.mark.parametrize(
    ("kind", "written"),
    [(kind, form) for kind in KEYS for form in (OPENSSH, PKCS8)] + [("ecdsa", OLD), ("rsa", OLD)],
)
def test_a_key_of_any_kind_is_taken_from_memory(server, kind, written):
    key = KEYS[kind]()
    text = key.private_bytes(PEM, written, NONE).decode()
    users = server.folder / "user.pub"
    before = users.read_text()
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    users.write_text(f"{before}\n{public.decode()}\n")
    try:
        with connected(host(target(server, private_key=text))) as one:
            assert run(one, "echo here")[1] == ["here"]
    finally:
        users.write_text(before)


@pytest.mark.parametrize("lock", [b"password", None])
def test_a_key_that_cant_be_used_is_refused_without_quoting_it(server, lock):
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\n"
    if lock:
        encryption = serialization.BestAvailableEncryption(lock)
        text = KEYS["ed25519"]().private_bytes(PEM, OPENSSH, encryption).decode()
    where = target(server, private_key=text)

    reason = fails(where, PermissionDeniedError)

    assert "can't be read" in reason
    assert text.split("\n")[1] not in reason + repr(where)


def test_neither_an_agent_nor_a_file_is_asked(server, monkeypatch, tmp_path):
    (tmp_path / ".ssh").mkdir()
    for name in ("id_ed25519", "id_rsa"):
        (tmp_path / ".ssh" / name).write_text(server.private_key)
    (tmp_path / ".ssh" / "config").write_text(f"Host *\n  IdentityFile {server.folder}/user\n")
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen()
    agent.setblocking(False)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    monkeypatch.setenv("HOME", str(tmp_path))
    wrong = key_text()

    fails(target(server, private_key=wrong), PermissionDeniedError)

    with agent, pytest.raises(BlockingIOError):
        agent.accept()


def test_a_closed_port_is_said_at_once():
    where = SshTarget(address="127.0.0.1", port=free_port(), user="x", private_key=key_text())
    began = time.monotonic()

    assert "Connection refused (3 attempts)" in fails(where, UnreachableError)
    assert time.monotonic() - began < 4


def test_a_host_that_says_nothing_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = SshTarget(
            address="127.0.0.1",
            port=silent.getsockname()[1],
            user="x",
            private_key=key_text(),
            connect_timeout=0.5,
        )
        began = time.monotonic()

        fails(where, UnreachableError)
        assert time.monotonic() - began < 10


def test_a_host_that_comes_up_meanwhile_is_reached(tmp_path):
    with running(tmp_path, *QUICK) as first:
        pass
    where = target(first, connect_attempts=10, connect_timeout=20)
    one = host(where)

    with ThreadPoolExecutor() as pool:
        trying = pool.submit(one.connect, raise_exceptions=True)
        with running(tmp_path, *QUICK, port=first.port) as second:
            trying.result(timeout=20)
            assert accepted(second) == 1
            one.disconnect()


def test_through_a_bastion(server, tmp_path):
    with running(tmp_path, *QUICK) as bastion:
        where = {str(n): target(server, bastion=target(bastion)) for n in range(5)}
        several = hosts(where)
        try:
            for one in several:
                one.connect(raise_exceptions=True)
            assert [run(one, "echo $SSH_CLIENT | wc -w")[1] for one in several] == [["3"]] * 5
            assert {one.connector.bastion_host_key for one in several} == {bastion.host_key}
            assert accepted(bastion) == 1
        finally:
            for one in several:
                one.disconnect()


def test_a_wrong_key_at_the_bastion_is_offered_once_for_all_hosts_behind_it(server, tmp_path):
    wrong = key_text()
    with running(tmp_path, *QUICK) as bastion:
        behind = target(server, bastion=target(bastion, private_key=wrong))
        for one in hosts({str(n): behind for n in range(5)}):
            with pytest.raises(PermissionDeniedError):
                one.connect(raise_exceptions=True, show_errors=False)

        assert failed(bastion) == 1


def key_text() -> str:
    return KEYS["ed25519"]().private_bytes(PEM, OPENSSH, NONE).decode()


def test_hosts_that_are_away_do_not_hold_up_each_other_nor_the_others(server):
    with ExitStack() as silent:
        away = [silent.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(20)]
        here = asdict(target(server))
        gone = [{**here, "port": one.getsockname()[1], "connect_timeout": 2} for one in away]
        done = subprocess.run(
            [sys.executable, "-m", "tests.pulumi_pyinfra.connector.many"],
            input=json.dumps([here, *gone, here]),
            capture_output=True,
            text=True,
            check=True,
        )

    said = json.loads(done.stdout)
    assert said["connected"] == [True, *[False] * 20, True]
    assert said["seconds"] < 10
