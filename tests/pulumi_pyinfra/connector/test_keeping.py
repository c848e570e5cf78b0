"""A connection may be kept for whoever needs it next, as long as it is the same one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from pyinfra.api.config import Config
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State

from pulumi_pyinfra.connector import (
    Connections,
    FramedSshConnector,
    HostKeyRefusedError,
    PermissionDeniedError,
    SshTarget,
)
from tests.pulumi_pyinfra.sshd import Sshd, running

from .hosts import QUICK, connected, run, target, until


@pytest.fixture
def kept() -> Iterator[Connections]:
    connections = Connections(keep=True)
    yield connections
    connections.close()


@pytest.fixture
def alone(tmp_path) -> Iterator[Sshd]:
    """A server that nobody else logs in to."""
    with running(tmp_path / "alone", *QUICK) as sshd:
        yield sshd


def met(where: SshTarget, connections: Connections) -> Host:
    """A host as a state of its own knows it."""
    data = {"ssh_target": where, "ssh_connections": connections}
    inventory = Inventory(([("host", data)], {}))
    for one in inventory:
        one.connector_cls = FramedSshConnector
    State(inventory, Config())
    return inventory.get_host("host")


def test_a_host_that_is_met_again_needs_no_new_connection(alone, kept):
    for pinned in (None, (alone.host_key,), None):
        with connected(met(target(alone, host_keys=pinned), kept)) as one:
            assert run(one, "echo here")[1] == ["here"]
            assert one.connector.host_key == alone.host_key

    assert alone.sessions == 1
    kept.close()
    until(lambda: "Disconnected from user" in alone.log or "Connection closed" in alone.log)


def test_without_being_asked_to_nothing_is_kept(alone):
    for _ in range(2):
        with connected(met(target(alone), Connections())):
            pass

    assert alone.sessions == 2


def test_two_at_once_have_a_connection_each(alone, kept):
    with connected(met(target(alone), kept)) as one, connected(met(target(alone), kept)) as other:
        assert run(one, "echo 1")[1] + run(other, "echo 2")[1] == ["1", "2"]

    assert alone.sessions == 2


def test_what_has_died_meanwhile_is_replaced(alone, kept):
    with connected(met(target(alone), kept)) as one:
        server = int(run(one, "ps -o ppid= -p $PPID")[1][0])
        link = one.connector._session
    os.kill(server, signal.SIGKILL)
    until(lambda: not link.alive)

    with connected(met(target(alone), kept)) as one:
        assert run(one, "echo again")[1] == ["again"]


def test_another_key_of_ours_is_another_connection(alone, kept, tmp_path):
    with connected(met(target(alone), kept)):
        pass
    with running(tmp_path / "other", *QUICK) as other:
        wrong = target(alone, private_key=other.private_key)

        with pytest.raises(PermissionDeniedError):
            met(wrong, kept).connect(raise_exceptions=True, show_errors=False)


def test_a_host_that_is_known_by_another_key_is_refused_still(alone, kept, tmp_path):
    with connected(met(target(alone), kept)):
        pass
    with running(tmp_path / "other", *QUICK) as other:
        stranger = target(alone, host_keys=(other.host_key,))

        with pytest.raises(HostKeyRefusedError):
            met(stranger, kept).connect(raise_exceptions=True, show_errors=False)


def test_a_kept_connection_keeps_its_bastion(alone, kept, tmp_path):
    with running(tmp_path / "bastion", *QUICK) as bastion:
        behind = target(alone, bastion=target(bastion))
        for _ in range(2):
            with connected(met(behind, kept)) as one:
                assert run(one, "echo here")[1] == ["here"]
        assert (bastion.sessions, alone.sessions) == (1, 1)
        kept.close()
