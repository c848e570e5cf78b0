"""What a stack file may ask for besides is what its kinds take as well."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.components.test_certificates import certificates, ingress

from .judges import NEEDED, invalid
from .published import file_of
from .rendered import Manifest, manifests
from .schemas import write
from .test_manifests import OPENAPI

pytestmark = [pytest.mark.engine, NEEDED]
CERT_MANAGER = ("published", "github.com/cert-manager/cert-manager", "deploy/crds")
HELM = ("published", "github.com/k3s-io/helm-controller", "pkg/crds/yaml/generated")
OURS = {"Certificate", "ClusterIssuer", "HelmChartConfig", "Ingress", "Secret"}
"""What is left out is what tests have for what cert-manager's makers publish."""


@pytest.fixture(scope="module")
def schemas(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("schemas")
    found = [file for where in (CERT_MANAGER, HELM) for file in file_of(*where).glob("*_*.yaml")]
    definitions = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in found]
    write(file_of(*OPENAPI), definitions, folder)
    return folder


def ours() -> list[Manifest]:
    made = [*manifests(certificates("-----BEGIN A")), *manifests(ingress("portals-tls"))]
    return [one for one in made if one["kind"] in OURS]


def test_certificates_and_names_are_what_their_kinds_take(schemas):
    given = ours()

    assert {one["kind"] for one in given} == OURS
    assert invalid(given, schemas) == []


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("Certificate", "dnsName"),
        ("ClusterIssuer", "acmee"),
        ("HelmChartConfig", "values"),
        ("Ingress", "rule"),
    ],
)
def test_a_field_that_they_do_not_have_is_named(schemas, kind, key):
    wrong = next(one for one in ours() if one["kind"] == kind)
    wrong["spec"][key] = []

    (said,) = invalid([wrong], schemas)

    assert key in said
