"""Certificates and Traefik are made where a stack file wants them, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pulumi
import pytest

from components.application_of_stack import application_of, load_balancer_of
from components.certificates_of_stack import certificates_of, ingress_of
from components.cloudflare import dns_token_of
from components.cloudflare.resources import provider
from components.settings import Settings
from tests.recording import Deployment, run

from .stack_cases import HERE, read_case
from .test_application import CONNECTION
from .test_certificates import PUBLISHED
from .test_load_balancer import METALLB, inside

WANTED = read_case(HERE / "valid" / "certificates-and-traefik.yaml").settings()
UNWANTED = replace(
    WANTED,
    certificates=None,
    kubernetes=WANTED.kubernetes.model_copy(update={"traefik": False}),
)


DATABASE = SimpleNamespace(
    connection={**CONNECTION, "password": "word", "cache_password": "cached"}
)


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr("components.application_of_stack.manifests", lambda _: METALLB)
    monkeypatch.setattr("components.certificates_of_stack.manifests", lambda _: PUBLISHED)

    def of(settings: Settings) -> Deployment:
        def program() -> None:
            there = inside()
            own = provider("token", "https://api.example.org")
            balancer = load_balancer_of(settings, there)
            application = application_of(settings, there, DATABASE, balancer, pulumi.Config())
            token = dns_token_of(settings, pulumi.ResourceOptions(providers=[own]))
            certificates_of(settings, there, application, token)
            ingress_of(settings, there, application, balancer)

        return run(program)

    return of


def test_names_are_proven_by_a_token_for_the_zone_alone(made):
    (token,) = made(WANTED).of_type("cloudflare:index/accountToken:AccountToken").values()
    (policy,) = token.inputs["policies"]

    zone = f"com.cloudflare.api.account.zone.{WANTED.cloudflare.zone_id}"
    assert json.loads(policy["resources"]) == {zone: "*"}
    assert len(policy["permissionGroups"]) == 2


def test_the_certificate_waits_for_its_namespace_and_is_shown_by_traefik(made):
    deployed = made(WANTED)
    certificate = deployed.named("certificates-portals")
    (shown,) = deployed.named("ingress-employee").inputs["spec"]["tls"]

    assert "application-namespace" in certificate.dependencies
    assert shown["secretName"] == certificate.inputs["spec"]["secretName"]


def test_nothing_of_it_is_there_where_nobody_wants_it(made):
    names = {resource.name.partition("-")[0] for resource in made(UNWANTED).resources}

    assert not names & {"certificates", "ingress"}
    assert "application" in names
