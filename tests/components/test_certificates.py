"""cert-manager, and Traefik before the portals, as the engine is asked for them."""

from __future__ import annotations

import json
from base64 import b64encode
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pytest

from components.certificates import NAMESPACE, Certificates, CertificatesArgs
from components.ingress import Ingress, IngressArgs
from tests.recording import Deployment, run

from .test_load_balancer import inside

PEM = "-----BEGIN CERTIFICATE-----"


def body(kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    where = {} if kind in {"Namespace", "CustomResourceDefinition"} else {"namespace": namespace}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **where}}


PUBLISHED = [
    body("Deployment", "cert-manager"),
    body("Role", "cert-manager:leaderelection"),
    body("Role", "cert-manager:leaderelection", "kube-system"),
    body("MutatingWebhookConfiguration", "cert-manager-webhook"),
    body("ValidatingWebhookConfiguration", "cert-manager-webhook"),
    body("CustomResourceDefinition", "certificates.cert-manager.io"),
    body("Namespace", NAMESPACE),
]


def certificates(authority: str | None = None) -> Deployment:
    def program() -> None:
        args = CertificatesArgs(
            manifests=PUBLISHED,
            server="https://acme.example.org/directory",
            authority=authority,
            email="ops@example.org",
            names=["example.org", "employee.example.org"],
            token=pulumi.Output.secret("dns-word"),
        )
        Certificates("certs", args, inside())

    return run(program)


@pytest.fixture(scope="module")
def made() -> Deployment:
    return certificates()


def test_a_name_is_proven_by_a_record_of_the_zone(made):
    acme = made.named("certs-issuer").inputs["spec"]["acme"]
    (solver,) = acme["solvers"]
    reference = solver["dns01"]["cloudflare"]["apiTokenSecretRef"]
    secret = made.named("certs-token")

    assert (acme["server"], acme["email"]) == (
        "https://acme.example.org/directory",
        "ops@example.org",
    )
    assert secret.inputs["metadata"] == {"name": reference["name"], "namespace": NAMESPACE}
    assert secret.inputs["data"] == {reference["key"]: b64encode(b"dns-word").decode()}


def test_the_token_is_secret_and_in_no_other_object(made):
    others = repr([r.inputs for r in made.resources if r.name != "certs-token"])

    assert "data.token" in made.named("certs-token").secrets
    assert b64encode(b"dns-word").decode() not in others
    assert "dns-word" not in others


def test_a_server_that_nobody_knows_is_known_by_who_signed_it(made):
    told = certificates(PEM).named("certs-issuer").inputs["spec"]["acme"]

    assert told["caBundle"] == b64encode(PEM.encode()).decode()
    assert "caBundle" not in made.named("certs-issuer").inputs["spec"]["acme"]


def test_the_certificate_has_all_names_and_lies_beside_the_portals(made):
    certificate = made.named("certs-portals").inputs

    assert certificate["metadata"]["namespace"] == "application"
    assert certificate["spec"]["dnsNames"] == ["example.org", "employee.example.org"]
    assert certificate["spec"]["secretName"] == "portals-tls"
    assert (
        certificate["spec"]["issuerRef"]["name"]
        == (made.named("certs-issuer").inputs["metadata"]["name"])
    )


def test_each_object_waits_for_those_that_it_needs_and_no_webhook_is_there(made):
    first = "certs-customresourcedefinition-certificates.cert-manager.io"

    assert first in made.named("certs-deployment-cert-manager-cert-manager").dependencies
    assert "certs-deployment-cert-manager-cert-manager" in made.named("certs-token").dependencies
    assert not [r.name for r in made.resources if "webhook" in r.name]


def test_names_that_two_namespaces_have_are_told_apart(made):
    roles = [r.name for r in made.resources if r.type.endswith(":Role")]

    assert len({*roles}) == len(roles) == 2


def ingress(secret: str | None) -> Deployment:
    def program() -> None:
        args = IngressArgs(
            address=IPv4Address("192.0.2.200"),
            replicas=3,
            names={"employee": "employee.example.org", "customer": "example.org"},
            secret=secret,
        )
        Ingress("in", args, inside())

    return run(program)


def test_k3s_own_traefik_answers_at_the_address_that_the_portals_share():
    config = ingress(None).named("in-traefik").inputs
    values = json.loads(config["spec"]["valuesContent"])

    assert config["metadata"] == {"name": "traefik", "namespace": "kube-system"}
    assert values["deployment"]["replicas"] == 3
    assert values["service"]["annotations"]["metallb.io/loadBalancerIPs"] == "192.0.2.200"
    assert values["service"]["annotations"]["metallb.io/allow-shared-ip"]


@pytest.mark.parametrize("secret", [None, "portals-tls"])
def test_each_name_leads_to_its_portal_with_the_certificate_that_there_is(secret):
    rule = ingress(secret).named("in-employee").inputs["spec"]
    (path,) = rule["rules"][0]["http"]["paths"]

    assert rule["rules"][0]["host"] == "employee.example.org"
    assert path["backend"]["service"]["name"] == "employee"
    tls = [{"hosts": ["employee.example.org"], "secretName": secret}] if secret else None
    assert rule.get("tls") == tls
