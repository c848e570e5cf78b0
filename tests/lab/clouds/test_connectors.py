"""Connectors: what they say of themselves, and what nobody notices when one is lost."""

from __future__ import annotations

import re
import signal
import subprocess
import threading

import pytest

from lab.clouds.cloudflare import ACCOUNT_ID
from tests.engine.conftest import wait_until

from .edge import HOST, TOOLS, URL

pytestmark = pytest.mark.engine


def test_a_connector_says_that_it_is_ready_and_what_it_did(connected):
    connected.curl(URL)
    (connector,) = connected.connectors
    wait_until(lambda: '"readyConnections":4' in connector.ready()[1])
    _, metrics = connector.page("metrics")

    assert "cloudflared_tunnel_ha_connections 4" in metrics
    assert "cloudflared_tunnel_total_requests 1" in metrics
    assert 'cloudflared_tunnel_response_by_code{status_code="200"} 1' in metrics
    assert "STAND-IN" in connector.log.read_text()


def test_a_wrong_token_is_turned_away(edge):
    other = edge.flare.create(
        "ZeroTrustTunnelCloudflared", {"accountId": ACCOUNT_ID, "name": "other"}
    )
    edge.tunnel = other.id
    connector = edge.connect()
    edge.flare.delete("ZeroTrustTunnelCloudflared", other.id)
    connector.kill()
    again = type(connector)(edge, edge.folder / "token-0", ())
    edge.running.callback(again.end)

    wait_until(lambda: "Unauthorized: Invalid tunnel secret" in again.log.read_text())
    assert again.ready()[0] == 503


def load(edge, seconds_after, then):
    """Ask without pause, do something in the middle, and return the statuses."""
    statuses: list[int] = []
    going = threading.Event()
    going.set()

    def ask():
        while going.is_set():
            statuses.append(edge.curl(URL).status)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(statuses) > 15)
    then()
    wait_until(lambda: len(statuses) > 15 + seconds_after)
    going.clear()
    for thread in threads:
        thread.join()
    return statuses


def test_a_connector_killed_under_load_is_missed_by_nobody(connected):
    connected.connect()
    first = connected.connectors[0]

    statuses = load(connected, 30, first.kill)

    assert set(statuses) == {200}
    assert len(statuses) > 45


def test_a_connector_stopped_under_load_finishes_what_it_began(connected):
    connected.connect()
    first = connected.connectors[0]

    statuses = load(connected, 30, first.end)

    assert set(statuses) == {200}
    assert first.process.returncode == 0


def test_a_connector_that_hangs_is_dropped_and_what_it_was_asked_is_asked_again(connected):
    connected.connect()
    first = connected.connectors[0]
    first.process.send_signal(signal.SIGSTOP)
    try:
        statuses = [connected.curl(URL).status for _ in range(8)]
    finally:
        first.process.send_signal(signal.SIGCONT)

    assert statuses == [200] * 8


def test_flags_that_the_real_one_takes_are_taken(connected):
    connector = connected.connect(
        "--loglevel", "debug", "--protocol", "http2", "--edge-ip-version", "4",
        "--grace-period", "5s", "--retries", "3",
    )  # fmt: skip

    assert connector.ready()[0] == 200


def asked(*arguments, **variables):
    """Run cloudflared to its end, and return its exit status and what it said."""
    done = subprocess.run(
        [TOOLS / "cloudflared", *arguments],
        env={"PATH": "/usr/bin", **variables},
        text=True,
        capture_output=True,
        check=False,
        timeout=20,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_health_check_may_ask_by_the_command_line(connected):
    (connector,) = connected.connectors

    assert asked("tunnel", "--metrics", connector.metrics, "ready")[0] == 0
    connector.kill()
    assert asked("tunnel", "--metrics", connector.metrics, "ready")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("tunnel", "run"), {"LAB_EDGE": "edge:443"}, "Tunnel token is not valid"),
        (("tunnel", "run", "--token", "e30="), {}, "LAB_EDGE must say where"),
        (("tunnel", "run", "--colour", "blue"), {}, "not defined: -colour"),
        (("tunnel", "run", "--loglevel", "loud"), {}, "--loglevel"),
        (("access", "login"), {}, "tunnel run, tunnel ready and version"),
        (("tunnel", "run", "--token-file", "/nowhere"), {"LAB_EDGE": "e:1"}, "--token-file"),
    ],
)
def test_a_wrong_command_line_is_refused_with_its_reason(arguments, variables, said):
    code, told = asked(*arguments, **variables)

    assert code != 0
    assert said in told


def test_programs_say_what_they_are():
    for command in (("cloudflared", "version"), ("lab-edge", "--version")):
        told = subprocess.run(
            [TOOLS / command[0], *command[1:]], text=True, capture_output=True, check=True
        ).stdout
        assert "STAND-IN" in told
        assert "STAND-IN" in helped(command[0])
        assert re.search(r"\d+\.\d+\.\d+", told)


def helped(command):
    done = subprocess.run(
        [TOOLS / command, "--help"], text=True, capture_output=True, check=False, timeout=20
    )
    return done.stdout + done.stderr


def test_a_connector_may_hang_while_it_says_that_it_is_ready(edge, origin):
    edge.route({"hostname": HOST, "service": origin})
    connector = edge.connect()
    assert edge.curl(URL).status == 200

    connector.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "answers=false" in connector.log.read_text())

    with pytest.raises(subprocess.CalledProcessError):
        edge.curl(URL, "--max-time", "1")
    assert connector.ready()[0] == 200
    connector.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "answers=true" in connector.log.read_text())
    assert edge.curl(URL).status == 200
