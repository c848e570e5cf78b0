"""From a host's name to the service behind a tunnel, and who is turned away on the way."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import urllib.parse

import pytest

from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID

from .edge import HOST, TOOLS, an_edge, an_origin, free_port, wait_until
from .project import DOMAIN

# They need what `make tools` builds.
pytestmark = pytest.mark.engine
URL = f"https://{HOST}"


@pytest.fixture
def origin():
    with an_origin() as address:
        yield address


@pytest.fixture
def edge(flare, tmp_path):
    with an_edge(flare, tmp_path) as running:
        yield running


@pytest.fixture
def connected(edge, origin):
    """An edge with a connector and a rule for the host."""
    edge.route({"hostname": HOST, "service": origin})
    edge.connect()
    return edge


def protect(edge, *policies, domain=HOST, **more):
    """Put an access application before a host."""
    inputs = {"zoneId": ZONE_ID, "domain": domain, "name": domain, "policies": list(policies)}
    return edge.flare.create("ZeroTrustAccessApplication", inputs | more)


def allow(*includes, decision="allow", **more):
    return {"decision": decision, "includes": list(includes), "precedence": 1, **more}


STAFF = {"emailDomain": {"domain": "example.com"}}


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


def test_a_stranger_is_sent_to_the_login_and_turned_away_there(connected):
    protect(connected, allow(STAFF))
    answer = connected.curl(f"{URL}/page")

    assert answer.status == 302
    assert "/cdn-cgi/access/login/" in answer.location
    login = connected.curl(answer.location)
    assert "STAND-IN" in login.body
    assert connected.curl(answer.location, "--data", "email=me@elsewhere.org").status == 403


def test_who_may_pass_logs_in_and_the_origin_knows_who_it_is(connected, tmp_path):
    protect(connected, allow(STAFF))
    jar = ("--cookie", tmp_path / "jar", "--cookie-jar", tmp_path / "jar")
    login = connected.curl(f"{URL}/page", *jar).location
    back = connected.curl(login, *jar, "--data-urlencode", "email=anna@example.com")

    assert back.status == 303
    assert urllib.parse.urlsplit(back.location).path == "/page"
    told = json.loads(connected.curl(back.location, *jar).body)["headers"]
    assert told["cf-access-authenticated-user-email"] == "anna@example.com"
    assert told["cf-access-jwt-assertion"].count(".") == 2


def test_what_a_visitor_claims_to_be_is_not_believed(connected):
    forged = ("--header", "Cf-Access-Authenticated-User-Email: anna@example.com")
    told = json.loads(connected.curl(URL, *forged).body)["headers"]
    assert "cf-access-authenticated-user-email" not in told

    protect(connected, allow(STAFF))
    assert connected.curl(URL, *forged).status == 302
    assert connected.curl(URL, "--cookie", "CF_Authorization=a.b.c").status == 302


def test_a_service_token_passes_where_a_policy_names_it(connected):
    flare = connected.flare
    made = {"accountId": ACCOUNT_ID, "name": "probe"}
    token = flare.create("ZeroTrustAccessServiceToken", made)
    other = flare.create("ZeroTrustAccessServiceToken", made | {"name": "other"})
    named = {"serviceToken": {"tokenId": token.id}}
    protect(connected, allow(named, decision="non_identity"), allow(STAFF, precedence=2))

    def headers(one):
        id_, secret = one.outputs["clientId"], one.outputs["clientSecret"]
        shown = {"CF-Access-Client-Id": id_, "CF-Access-Client-Secret": secret}
        return [word for name, value in shown.items() for word in ("-H", f"{name}: {value}")]

    passed = connected.curl(URL, *headers(token))
    assert passed.status == 200
    assert token.outputs["clientSecret"] not in passed.body
    assert connected.curl(URL, *headers(other)).status == 403
    assert connected.curl(URL).status == 302


def test_shared_policies_groups_and_exclusions_decide_as_written(connected):
    flare = connected.flare
    group = {"accountId": ACCOUNT_ID, "name": "staff", "includes": [STAFF]}
    group_id = flare.create("ZeroTrustAccessGroup", group).id
    policy = flare.create(
        "ZeroTrustAccessPolicy",
        {
            "accountId": ACCOUNT_ID,
            "name": "staff but one",
            "decision": "allow",
            "includes": [{"group": {"id": group_id}}],
            "excludes": [{"email": {"email": "eve@example.com"}}],
        },
    )
    protect(connected, {"id": policy.id, "precedence": 1})
    login = connected.curl(URL).location

    assert connected.curl(login, "--data", "email=eve@example.com").status == 403
    assert connected.curl(login, "--data", "email=anna@example.com").status == 303


def test_the_most_specific_application_decides(connected):
    protect(connected, allow({"everyone": {}}, decision="bypass"))
    protect(connected, allow(STAFF), domain=f"{HOST}/infrastructure")

    assert connected.curl(f"{URL}/").status == 200
    assert connected.curl(f"{URL}/infrastructure").status == 302
    assert connected.curl(f"{URL}/infrastructure/x").status == 302
    assert connected.curl(f"{URL}/infrastructures").status == 200


def test_an_identity_for_one_application_is_none_for_another(connected, tmp_path):
    protect(connected, allow(STAFF))
    protect(connected, allow(STAFF), domain=f"{HOST}/infrastructure")
    jar = ("--cookie", tmp_path / "jar", "--cookie-jar", tmp_path / "jar")
    login = connected.curl(URL, *jar).location
    connected.curl(login, *jar, "--data", "email=anna@example.com")

    assert connected.curl(URL, *jar).status == 200
    assert connected.curl(f"{URL}/infrastructure", *jar).status == 302


def test_a_policy_withdrawn_turns_away_who_passed_before(connected, tmp_path):
    app = protect(connected, allow(STAFF))
    jar = ("--cookie", tmp_path / "jar", "--cookie-jar", tmp_path / "jar")
    login = connected.curl(URL, *jar).location
    connected.curl(login, *jar, "--data", "email=anna@example.com")
    assert connected.curl(URL, *jar).status == 200

    nobody = allow({"email": {"email": "bob@example.com"}})
    connected.flare.update(
        "ZeroTrustAccessApplication", app.id, app.inputs | {"policies": [nobody]}
    )

    assert connected.curl(URL, *jar).status == 403


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


def test_programs_say_what_they_are():
    for command in (("cloudflared", "version"), ("lab-edge", "--version")):
        told = subprocess.run(
            [TOOLS / command[0], *command[1:]], text=True, capture_output=True, check=True
        ).stdout
        assert "STAND-IN" in told
        assert re.search(r"\d+\.\d+\.\d+", told)
