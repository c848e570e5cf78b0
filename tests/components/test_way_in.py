"""From a public name to the tunnel: nobody comes before it is said who may pass."""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import pytest

from components import settings
from components.cloudflare import People, ProtectedPagesArgs, TunnelArgs, way_in_of
from components.cloudflare.resources import provider
from components.generated_secrets import GeneratedSecrets
from components.settings import Settings
from ops.stack_files import STACKS, settings_of
from tests.components.stack_cases import SECRETS, patched, stack_file

NAMES = {"employee.ailakshya.in", "ailakshya.in"}


def way_in(wanted: Settings | None = None) -> dict[str, pulumi.Output[Any]]:
    """Declare the way in of a stack, of testing without another."""
    opts = pulumi.ResourceOptions(provider=provider("token", "https://api.example.org"))
    tunnel = way_in_of(wanted or settings_of("testing"), GeneratedSecrets("secrets"), opts)
    is_secret = pulumi.Output.from_input(tunnel.token.is_secret())
    return {"token": tunnel.token, "is_secret": is_secret}


@pytest.fixture
def made(deploy):
    return deploy(way_in)


def of_kind(made, kind):
    """Return the resources of one kind, of which there are some."""
    found = {r.name: r for r in made.resources if r.type.endswith(f":{kind}")}
    assert found, kind
    return found


def with_access(**access: object) -> Settings:
    raw = patched(stack_file("testing") | SECRETS, {"cloudflare": {"access": access}})
    return settings.parse("testing", raw, list(SECRETS), {})


def test_each_portal_leads_to_its_port_at_the_address_of_the_application_and_all_else_nowhere(made):
    (routes,) = of_kind(made, "ZeroTrustTunnelCloudflaredConfig").values()

    assert routes.inputs["config"]["ingresses"] == [
        {"hostname": "employee.ailakshya.in", "service": "http://192.168.15.200:8080"},
        {"hostname": "ailakshya.in", "service": "http://192.168.15.200:8081"},
        {"service": "http_status:404"},
    ]


def test_the_token_is_what_cloudflared_takes_and_stays_secret(made):
    told = json.loads(base64.b64decode(made.result["token"]))
    (tunnel,) = of_kind(made, "ZeroTrustTunnelCloudflared").values()

    assert told == {
        "a": "unpinned",
        "t": "way-in-tunnel-id",
        "s": "bytes of secrets-tunnel",
    }
    assert made.result["is_secret"] is True
    assert tunnel.secrets == {"tunnelSecret"}


def test_every_name_is_a_proxied_record_that_points_at_the_tunnel(made):
    records = of_kind(made, "DnsRecord").values()

    assert {record.inputs["name"] for record in records} == NAMES
    for record in records:
        assert record.inputs["proxied"] is True
        assert record.inputs["content"] == "way-in-tunnel-id.cfargotunnel.com"
        assert record.inputs["comment"].startswith("coldstorage-testing:")


def test_no_name_is_there_before_it_is_said_who_may_pass(made):
    before = {
        *of_kind(made, "ZeroTrustAccessApplication"),
        *of_kind(made, "ZeroTrustTunnelCloudflaredConfig"),
    }

    assert len(before) == 3
    for record in of_kind(made, "DnsRecord").values():
        assert record.dependencies >= before


def places(made) -> dict[str, set[str]]:
    """Return what is protected, by application."""
    return {
        name: {place["uri"] for place in application.inputs["destinations"]}
        for name, application in of_kind(made, "ZeroTrustAccessApplication").items()
    }


def test_the_employee_portal_and_the_infrastructure_on_both_names_are_protected(made):
    assert places(made) == {
        "employee-portal-application": {"employee.ailakshya.in"},
        "infrastructure-application": {
            "employee.ailakshya.in/infrastructure",
            "ailakshya.in/infrastructure",
        },
    }


def test_every_application_has_the_policy_of_its_own_name_and_lets_nobody_else_in(made):
    policies = of_kind(made, "ZeroTrustAccessPolicy")

    for name, application in of_kind(made, "ZeroTrustAccessApplication").items():
        own = name.replace("-application", "-policy")
        assert application.inputs["policies"] == [{"id": f"{own}-id", "precedence": 1}]
        assert policies[own].inputs["decision"] == "allow"
        assert policies[own].inputs["name"] == application.inputs["name"]


def test_people_come_from_the_stack_file(deploy):
    wanted = with_access(
        email_domains=["cold.example"], emails=["anna@else.example"], administrators=[]
    )

    policies = of_kind(deploy(lambda: way_in(wanted)), "ZeroTrustAccessPolicy").values()

    everybody = [
        {"emailDomain": {"domain": "cold.example"}},
        {"email": {"email": "anna@else.example"}},
    ]
    assert [policy.inputs["includes"] for policy in policies] == [everybody, everybody]
    assert {policy.inputs["sessionDuration"] for policy in policies} == {"12h"}


def test_where_administrators_are_named_no_other_employee_sees_the_infrastructure(deploy):
    wanted = with_access(administrators=["ravi@cold.example"])

    policies = of_kind(deploy(lambda: way_in(wanted)), "ZeroTrustAccessPolicy")

    only = [{"email": {"email": "ravi@cold.example"}}]
    assert policies["infrastructure-policy"].inputs["includes"] == only
    assert policies["employee-portal-policy"].inputs["includes"] != only


def test_on_hetzner_the_tunnel_leads_to_the_load_balancer(deploy):
    raw = stack_file("3-docfast-hetzner") | SECRETS
    wanted = settings.parse("testing", raw, list(SECRETS), {})
    made = deploy(lambda: way_in(wanted))

    (routes,) = of_kind(made, "ZeroTrustTunnelCloudflaredConfig").values()
    services = {rule["service"] for rule in routes.inputs["config"]["ingresses"]}

    assert services == {
        f"http://{wanted.hetzner.load_balancer.address}:8080",
        f"http://{wanted.hetzner.load_balancer.address}:8081",
        "http_status:404",
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_whole_program_makes_the_way_in_of_its_stack_and_of_no_other(up, stack):
    made = up(stack)

    (tunnel,) = of_kind(made, "ZeroTrustTunnelCloudflared").values()
    names = {record.inputs["name"] for record in of_kind(made, "DnsRecord").values()}
    domain = settings_of(stack).environment.domain

    assert tunnel.inputs["name"] == f"coldstorage-{stack}"
    assert names == {domain, f"employee.{domain}"}
    assert {r.provider for r in made.resources if r.type.startswith("cloudflare:")} == {
        "cloudflare"
    }


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (People, "nobody could ever pass"),
        (lambda: TunnelArgs(account_id="a", name="t", services={}, secret="s"), "at least one"),
        (
            lambda: ProtectedPagesArgs(
                account_id="a",
                label="l",
                places=[],
                people=People(emails=["a@b.example"]),
                session_hours=1,
            ),
            "at least one",
        ),
    ],
)
def test_what_can_only_be_a_mistake_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()
