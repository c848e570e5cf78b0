"""Hosts are known by their keys, and reached with nothing but what the program says."""

from __future__ import annotations

import base64
import hashlib
import shutil

import pytest

from tests.pulumi_pyinfra.sshd import Sshd, running

from .hosts import over_ssh

pytestmark = pytest.mark.engine


def fingerprint(server: Sshd) -> str:
    key = base64.b64decode(server.host_key.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def test_a_host_with_another_key_than_the_given_is_refused_with_both(project, hosts, tmp_path):
    with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
        wanted = hosts("a")
        wanted["a"]["ssh"] = over_ssh(a, host_keys=[b.host_key])
        project.want(wanted)

        told = project.up(check=False)

        assert fingerprint(a) in told
        assert fingerprint(b) in told
        assert a.sessions == 0
        assert hosts.read("a") is None


def test_a_host_is_known_by_the_key_that_it_showed_first(project, hosts, tmp_path):
    with running(tmp_path / "first") as first:
        wanted = hosts("a")
        wanted["a"] |= {"ssh": over_ssh(first, host_keys=None), "machine": "100"}
        project.want(wanted)
        project.up()
        key = fingerprint(first)
        assert project.outputs()["hostKeys"] == {"a": first.host_key}
    (tmp_path / "second").mkdir()
    for name in ("user", "user.pub"):
        shutil.copy(tmp_path / "first" / name, tmp_path / "second" / name)
    with running(tmp_path / "second", port=first.port) as second:
        wanted["a"]["arguments"]["text"] = "new"
        project.want(wanted)

        told = project.up(check=False)

        assert key in told
        assert fingerprint(second) in told
        assert second.sessions == 0

        wanted["a"]["machine"] = "101"
        project.want(wanted)
        project.up()

        assert hosts.read("a") == "new\nnone"
        assert project.outputs()["hostKeys"] == {"a": second.host_key}


def test_a_bastion_is_known_by_its_key_too(project, hosts, tmp_path):
    with running(tmp_path / "a") as a:
        with running(tmp_path / "bastion") as bastion:
            wanted = hosts("a")
            through = over_ssh(bastion, host_keys=None)
            wanted["a"]["ssh"] = over_ssh(a, bastion=through)
            project.want(wanted)

            project.up()

            where = f"127.0.0.1:{bastion.port}"
            assert project.outputs()["hostKeys"][where] == bastion.host_key
            assert bastion.sessions == 1
            assert hosts.read("a") == "hello\nnone"
        for name in ("host", "host.pub"):
            (tmp_path / "bastion" / name).unlink()
        with running(tmp_path / "bastion", port=bastion.port) as other:
            wanted["a"]["arguments"]["text"] = "new"
            project.want(wanted)

            told = project.up(check=False)

            assert fingerprint(other) in told
            assert other.sessions == 1, "the one that the first one had"


def test_a_wrong_key_is_offered_once(project, hosts, tmp_path):
    # OpenSSH from 9.8 on bans an address for each offer that fails.
    with running(tmp_path / "other") as other, running(tmp_path / "a") as a:
        wanted = hosts("a")
        wanted["a"]["ssh"] = over_ssh(a, private_key=other.private_key)
        project.want(wanted)

        told = project.up(check=False)

        assert "refuses" in told
        assert a.log.count("Failed publickey") == 1
