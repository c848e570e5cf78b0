"""The cluster's authorities and the kubeconfig that follows from them."""

from __future__ import annotations

import base64
from ipaddress import IPv4Address

import pulumi
import pulumi_tls as tls
import pytest
import yaml

from components.cluster_authority import ClusterAuthority, ClusterAuthorityArgs


@pytest.fixture
def made(deploy):
    def program() -> pulumi.Output[object]:
        authority = ClusterAuthority(
            "k3s",
            ClusterAuthorityArgs(cluster="testing", api_address=IPv4Address("192.0.2.1")),
            pulumi.ResourceOptions(provider=tls.Provider("tls")),
        )
        is_secret = pulumi.Output.from_input(authority.kubeconfig.is_secret())
        return pulumi.Output.all(kubeconfig=authority.kubeconfig, is_secret=is_secret)

    return deploy(program)


def test_the_kubeconfig_is_a_secret(made):
    assert made.result["is_secret"] is True


def test_the_kubeconfig_holds_all_that_a_client_needs(made):
    config = yaml.safe_load(made.result["kubeconfig"])
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]

    assert cluster["server"] == "https://192.0.2.1:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"certificate of k3s-server"
    assert base64.b64decode(user["client-certificate-data"]) == b"certificate of k3s-administrator"
    assert base64.b64decode(user["client-key-data"]) == b"private key of k3s-administrator-key"
    assert config["current-context"] == config["contexts"][0]["name"] == "testing"


def test_the_administrator_is_signed_by_the_clients_authority(made):
    signed = made.named("k3s-administrator").inputs

    assert signed["caCertPem"] == "certificate of k3s-client"
    assert signed["caPrivateKeyPem"] == "private key of k3s-client-key"
    assert "client_auth" in signed["allowedUses"]
    assert made.named("k3s-administrator-request").inputs["subject"] == {
        "commonName": "administrator",
        "organization": "system:masters",
    }


def test_servers_and_clients_have_authorities_of_their_own(made):
    authorities = made.of_type("tls:index/selfSignedCert:SelfSignedCert")

    assert authorities.keys() == {"k3s-server", "k3s-client"}
    assert len({a.inputs["privateKeyPem"] for a in authorities.values()}) == 2
    assert {a.inputs["isCaCertificate"] for a in authorities.values()} == {True}


def test_all_is_the_authoritys_child_on_the_given_provider(made):
    children = [r for r in made.resources if r.custom and "providers" not in r.type]

    assert len(children) == 7
    assert {(r.parent, r.provider) for r in children} == {("k3s", "tls")}
