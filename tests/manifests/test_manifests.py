"""Every object that the program declares is what its kind takes, and what kube-score advises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import metallb
from .exceptions import not_let_be, unneeded
from .judges import NEEDED, findings, invalid
from .published import file_of
from .rendered import Manifest
from .schemas import strict, write

pytestmark = [pytest.mark.engine, NEEDED]
OPENAPI = ("kubernetes", "k8s.io/kubernetes", "api/openapi-spec/swagger.json")


@pytest.fixture(scope="module")
def schemas(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("schemas")
    custom = [one for one in metallb() if one["kind"] == "CustomResourceDefinition"]
    write(file_of(*OPENAPI), custom, folder)
    return folder


@pytest.fixture
def spoilt(rendered) -> Callable[..., list[Manifest]]:
    """Return the objects of a stack, one of which is changed."""

    def of(kind: str, spoil: Callable[[Manifest], None], name: str = "") -> list[Manifest]:
        objects = rendered("testing")
        fits = (o for o in objects if o["kind"] == kind and name in o["metadata"]["name"])
        spoil(next(fits))
        return objects

    return of


def test_every_object_is_valid(objects, schemas):
    assert len(objects) > 40
    assert invalid(objects, schemas) == []


def at(path: str, value: Any) -> Callable[[Manifest], None]:
    """Return what sets something within an object."""
    *way, last = path.split(".")

    def change(one: Any) -> None:
        for key in way:
            one = one[int(key)] if key.isdigit() else one[key]
        one[last] = value

    return change


CONTAINER = "spec.template.spec.containers.0"


@pytest.mark.parametrize(
    ("kind", "spoil", "word"),
    [
        ("Deployment", at(f"{CONTAINER}.imagePullPolcy", "Always"), "imagePullPolcy"),
        ("Deployment", at("spec.progressDeadlineSeconds", "soon"), "progressDeadlineSeconds"),
        ("Deployment", at("apiVersion", "apps/v2"), "could not find schema"),
        ("Service", at("spec.ports.0.targetPort", []), "targetPort"),
        ("ConfigMap", at("data.A", 1), "/data/A"),
        ("IPAddressPool", at("spec.autoAsign", False), "autoAsign"),
        ("L2Advertisement", at("spec.ipAddressPools", "all"), "ipAddressPools"),
    ],
)
def test_an_object_that_its_kind_does_not_take_is_named(spoilt, schemas, kind, spoil, word):
    (said,) = invalid(spoilt(kind, spoil), schemas)

    assert said.startswith(kind)
    assert word in said


def test_kube_score_finds_nothing_but_what_is_let_be(objects):
    assert not_let_be(findings(objects)) == set()


def test_nothing_is_let_be_that_is_not_there(objects):
    assert unneeded(findings(objects)) == []


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (at(f"{CONTAINER}.resources", {}), "container-resources"),
        (at(f"{CONTAINER}.image", "cold-backend"), "container-image-tag"),
        (
            at(f"{CONTAINER}.securityContext.privileged", True),
            "container-security-context-privileged",
        ),
        (
            at(f"{CONTAINER}.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
            "environment-variable-key-duplication",
        ),
    ],
)
def test_a_pod_that_may_do_too_much_is_found(spoilt, spoil, check):
    found = not_let_be(findings(spoilt("Deployment", spoil, "customer")))

    assert found == {(check, "Deployment/apps/v1/application/customer")}


def test_a_schema_of_properties_is_not_taken_for_an_object():
    told = {"type": "object", "properties": {"type": {"type": "string"}, "properties": {}}}

    assert strict(told) == {**told, "additionalProperties": False}
