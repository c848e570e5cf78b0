"""From a host's name, by its record and its tunnel, to the service behind it."""

from __future__ import annotations

import json
import socket
import ssl

import pytest

from tests.pulumi_pyinfra.sshd import free_port

from .edge import HOST, URL
from .project import DOMAIN

# They need what `make tools` builds.
pytestmark = pytest.mark.engine


def test_a_request_reaches_the_service_behind_the_tunnel(connected):
    answer = connected.curl(f"{URL}/some/page?x=1")
    told = json.loads(answer.body)

    assert answer.status == 200
    assert told["path"] == "/some/page?x=1"
    assert told["headers"]["host"] == HOST
    assert told["headers"]["x-forwarded-proto"] == "https"
    assert told["headers"]["cf-connecting-ip"] == "127.0.0.1"
    assert not [name for name in told["headers"] if name.startswith("lab-")]


def test_a_body_arrives_whole(connected, tmp_path):
    body = "x" * 300_000
    (tmp_path / "body").write_text(body)
    answer = connected.curl(URL, "--data-binary", f"@{tmp_path}/body")

    assert json.loads(answer.body)["body"] == body


def test_a_change_of_the_configuration_holds_for_the_next_request(connected, origin):
    connected.route({"hostname": HOST, "path": "^/api/", "service": origin})

    assert connected.curl(f"{URL}/").status == 404
    assert connected.curl(f"{URL}/api/x").status == 200


def test_settings_of_a_rule_override_those_of_the_tunnel(connected, origin):
    connected.route(
        {"hostname": HOST, "service": origin, "originRequest": {"httpHostHeader": "inner"}},
        originRequest={"httpHostHeader": "outer"},
    )

    assert json.loads(connected.curl(URL).body)["headers"]["host"] == "inner"


def test_a_socket_of_another_protocol_passes_both_ways(connected):
    head = f"GET /socket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
    trusted = ssl.create_default_context(cafile=connected.folder / "ca.pem")
    with (
        socket.create_connection(("127.0.0.1", connected.port), timeout=10) as plain,
        trusted.wrap_socket(plain, server_hostname=HOST) as visitor,
    ):
        visitor.sendall(head.encode())
        answer = visitor.makefile("rb")
        assert b"101 Switching Protocols" in answer.readline()
        while answer.readline() != b"\r\n":
            pass
        for word in (b"one\n", b"two\n"):
            visitor.sendall(word)
            assert answer.readline() == word


def test_a_host_without_a_record_is_told_so(connected):
    answer = connected.curl(f"https://nobody.{DOMAIN}/")

    assert answer.status == 530
    assert "error code: 1016" in answer.body


def test_a_tunnel_without_a_connector_is_1033(edge, origin):
    edge.route({"hostname": HOST, "service": origin})
    answer = edge.curl(URL)

    assert answer.status == 530
    assert "error code: 1033" in answer.body


def test_an_origin_that_refuses_is_502(connected):
    connected.route({"hostname": HOST, "service": f"http://127.0.0.1:{free_port()}"})
    answer = connected.curl(URL)

    assert answer.status == 502
    assert "Unable to reach the origin service" in answer.body
