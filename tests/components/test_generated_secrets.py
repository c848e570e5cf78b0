"""Secrets that nobody types."""

from __future__ import annotations

import json

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from components.generated_secrets import GeneratedSecrets


def made(deploy):
    def program() -> pulumi.Output[object]:
        secrets = GeneratedSecrets(
            "secrets",
            pulumi.ResourceOptions(
                providers=[random.Provider("random"), tls.Provider("tls")], protect=True
            ),
        )
        return pulumi.Output.all(
            k3s=secrets.k3s_token,
            owner=secrets.database["owner"].first,
            follower=secrets.database["redis_replication"].first,
            other=secrets.database["owner"].second,
        )

    return deploy(program)


def test_every_secret_is_a_protected_child_on_the_given_provider(deploy):
    children = [r for r in made(deploy).resources if r.custom and "providers" not in r.type]

    assert len(children) == 19
    assert {r.parent for r in children} == {"secrets"}
    assert {r.provider for r in children} == {"random", "tls"}
    assert all(r.protected for r in children)


def test_each_secret_is_another_one(deploy):
    values = made(deploy).result

    assert len(set(values.values())) == len(values) == 4


def test_passwords_need_no_quoting_and_are_too_long_to_guess(deploy):
    passwords = made(deploy).of_type("random:index/randomPassword:RandomPassword")

    assert {r.inputs["special"] for r in passwords.values()} == {False}
    assert min(r.inputs["length"] for r in passwords.values()) >= 32


def test_no_secret_is_an_input(deploy):
    inputs = json.dumps([dict(r.inputs) for r in made(deploy).resources])

    assert "password of" not in inputs
    assert "private key of" not in inputs
