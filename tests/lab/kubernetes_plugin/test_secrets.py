"""Secrets are secret: in state, in what is said, in what is compared."""

from __future__ import annotations

import base64
import json

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

CANARY = "a-canary-that-nobody-may-see"
ENCODED = base64.b64encode(CANARY.encode()).decode()


def secret(**fields: object) -> dict:
    return {"kind": "Secret", "metadata": {"name": "password"}, **fields}


def said(project, *arguments: str) -> str:
    done = project.pulumi(*arguments)
    return done.stdout + done.stderr


@pytest.mark.parametrize(("kind", "key"), [("Secret", "string_data"), ("Untyped", "stringData")])
def test_the_contents_of_a_secret_are_nowhere_in_the_clear(project, cluster, kind, key):
    # Declared as plain text: that it is a secret is known by its kind.
    wanted = {"kind": kind, "metadata": {"name": "password"}, key: {"password": CANARY}}
    project.want("small", objects=[wanted])
    words = said(project, "preview", "--diff")
    words += said(project, "up", "--yes", "--skip-preview", "--diff")
    cluster.edit(
        "/api/v1/namespaces/default/secrets/password",
        {"data": {"password": base64.b64encode(b"by hand").decode()}},
    )
    words += said(project, "refresh", "--yes", "--skip-preview", "--diff")
    words += said(project, "preview", "--diff")
    words += json.dumps(project.state())

    assert CANARY not in words
    assert ENCODED not in words
    assert base64.b64encode(b"by hand").decode() not in words


def test_plain_text_reaches_the_cluster_and_drift_of_it_is_seen(project, cluster):
    path = "/api/v1/namespaces/default/secrets/password"
    project.want("small", objects=[secret()], secret=CANARY)
    project.up()
    assert cluster.get(path)["data"] == {"password": ENCODED}
    assert project.up() == {"same": 3}

    cluster.edit(path, {"data": {"password": base64.b64encode(b"by hand").decode()}})

    assert project.refresh()["update"] == 1
    assert list(project.planned()) == ["object-0"]


def test_a_kubeconfig_that_is_none_is_not_repeated(project):
    broken = f"apiVersion: v1\nkind: Config\nusers: [{CANARY}\n"
    project.want("small", {"kubeconfig": broken}, objects=[{"kind": "ConfigMap"}])

    said = project.fails("up", "--yes", "--skip-preview")

    assert "kubeconfig" in said
    assert CANARY not in said
    project.want("small", objects=[])
