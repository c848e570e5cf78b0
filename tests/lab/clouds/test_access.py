"""Who is let through to a protected service, who is sent to the login, who is turned away."""

from __future__ import annotations

import json
import urllib.parse

import pytest

from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID

from .edge import HOST, URL

pytestmark = pytest.mark.engine


def protect(edge, *policies, domain=HOST, **more):
    """Put an access application before a host."""
    inputs = {"zoneId": ZONE_ID, "domain": domain, "name": domain, "policies": list(policies)}
    return edge.flare.create("ZeroTrustAccessApplication", inputs | more)


def allow(*includes, decision="allow", **more):
    return {"decision": decision, "includes": list(includes), "precedence": 1, **more}


STAFF = {"emailDomain": {"domain": "example.com"}}


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
