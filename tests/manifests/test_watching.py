"""What watches a stack is held to the same as all other objects, though no stack has it yet."""

from __future__ import annotations

import pytest

from tests.components.monitoring.test_monitoring import deployed

from .exceptions import EXCEPTIONS, LetBe
from .judges import NEEDED, findings, invalid
from .rendered import Manifest, manifests
from .test_manifests import schemas

__all__ = ["schemas"]
pytestmark = [pytest.mark.engine, NEEDED]
GRAFANA = "Deployment/apps/v1/monitoring/grafana"
LET_BE = (
    LetBe("deployment-replicas", GRAFANA, "it keeps nothing, and nobody is told by it"),
    LetBe("container-security-context-user-group-id", GRAFANA, "the user that its image is for"),
    LetBe("pod-probes-identical", GRAFANA, "it has one page that says how it is"),
    LetBe(
        "pod-probes-identical",
        "DaemonSet/apps/v1/node-exporters/node-exporter",
        "it has one page that costs nothing",
    ),
)


@pytest.fixture(scope="module")
def objects() -> list[Manifest]:
    return manifests(deployed())


def test_every_object_is_valid(objects, schemas):
    assert len(objects) > 30
    assert invalid(objects, schemas) == []


def test_kube_score_finds_nothing_but_what_is_let_be(objects):
    found = {(check, name) for check, names in findings(objects).items() for name in names}
    let_be = {f for f in found if any(e.covers(*f) for e in (*LET_BE, *EXCEPTIONS))}

    assert found == let_be
    assert all(any(e.covers(*f) for f in found) for e in LET_BE)
