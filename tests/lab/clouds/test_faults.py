"""The clouds over HTTPS: who is let in, what is counted, what can be made to fail."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse

import pytest

from components.guard import project_marker
from components.https import ApiError, JsonApi
from lab.clouds import Fault
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID

from .project import DOMAIN, TOKEN

NETWORK = {"name": "private", "ipRange": "10.0.0.0/16"}


@pytest.fixture
def ask(clouds):
    """Ask Hetzner's API for something, and return the status and the document."""
    url = urllib.parse.urlsplit(clouds.endpoints["hcloud"])
    trusted = ssl.create_default_context(cafile=clouds.certificate)

    def call(method, path, body=None, token=TOKEN):
        connection = http.client.HTTPSConnection(url.netloc, context=trusted, timeout=3)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, url.path + path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        finally:
            connection.close()

    return call


def test_only_the_holder_of_the_token_is_let_in(ask):
    assert ask("GET", "/lab", token="")[1]["lab"] == "hcloud"
    assert ask("POST", "/lab/records/Network", {"inputs": NETWORK}, token="x")[0] == 401
    assert ask("POST", "/lab/records/Network", {"inputs": NETWORK})[0] == 200


def test_what_there_is_can_be_listed_without_a_secret(ask):
    ask("POST", "/lab/records/Network", {"inputs": NETWORK})
    _, listed = ask("GET", "/lab/records")

    assert [network["name"] for network in listed["Network"]] == ["private"]
    assert set(listed) == {"Network", "PlacementGroup"}


def test_the_nth_matching_call_fails_and_the_others_do_not(ask, clouds):
    api = clouds.apis["hcloud"]
    api.planned.append(Fault(match="GET Network", effect="refused", nth=2, status=503))
    _, made = ask("POST", "/lab/records/Network", {"inputs": NETWORK})

    place = f"/lab/records/Network?id={made['id']}"
    assert [ask("GET", place)[0] for _ in range(3)] == [200, 503, 200]
    assert api.counted == {"POST Network": 1, "GET Network": 3}


def test_a_lost_answer_was_done_and_silence_was_not(ask, clouds):
    api, cloud = clouds.apis["hcloud"], clouds.clouds["hcloud"]
    api.planned.append(Fault(match="POST Network", effect="lost answer"))
    with pytest.raises(http.client.HTTPException):
        ask("POST", "/lab/records/Network", {"inputs": NETWORK})
    assert len(list(cloud.records.of("Network"))) == 1

    api.planned[:] = [Fault(match="POST Network", effect="silence")]
    with pytest.raises(TimeoutError):
        ask("POST", "/lab/records/Network", {"inputs": NETWORK | {"name": "other"}})
    assert len(list(cloud.records.of("Network"))) == 1


def test_faults_are_planned_and_taken_back_over_the_api_too(ask):
    fault = {"match": "* Network", "effect": "refused", "times": 5}
    assert ask("POST", "/lab/faults", fault)[0] == 200
    assert ask("POST", "/lab/records/Network", {"inputs": NETWORK})[0] == 503

    assert ask("DELETE", "/lab/faults")[0] == 200
    assert ask("POST", "/lab/records/Network", {"inputs": NETWORK})[0] == 200
    assert ask("GET", "/lab/calls")[1]["counted"] == {"POST Network": 2}


def test_an_unknown_effect_is_refused(ask):
    assert ask("POST", "/lab/faults", {"match": "*", "effect": "tickle"})[0] == 422


def test_the_guards_questions_are_answered(clouds, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(clouds.certificate))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with JsonApi(clouds.endpoints["cloudflare"], headers=headers) as api:
        (zone,) = api.get(f"/zones?name={DOMAIN}")["result"]
        assert (zone["id"], zone["account"]["id"]) == (ZONE_ID, ACCOUNT_ID)
        assert api.get("/zones?name=other.example")["result"] == []
    with JsonApi(clouds.endpoints["hcloud"], headers=headers) as api:
        found = api.get(f"/placement_groups?name={project_marker('tests')}")
        assert len(found["placement_groups"]) == 1
    with (
        JsonApi(clouds.endpoints["hcloud"], headers={"Authorization": "Bearer x"}) as api,
        pytest.raises(ApiError, match="401"),
    ):
        api.get("/placement_groups?name=any")
