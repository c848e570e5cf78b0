"""What the program declares breaks no control of the hardening, without a cluster to ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hosts.k3s_configuration import no_tokens
from hosts.on_machine.hardening.__main__ import judged
from hosts.on_machine.hardening.control import EXCEPTION, FAIL
from tests.hosts.hardened import hardened

from .judges import NEEDED
from .rendered import Manifest

pytestmark = [pytest.mark.engine, NEEDED]


def pods(objects: list[Manifest]) -> Iterator[Manifest]:
    """Yield a pod of each template."""
    for one in objects:
        told = one.get("spec", {})
        template = told.get("jobTemplate", {}).get("spec", told).get("template")
        if template and "containers" in template.get("spec", {}):
            yield {"kind": "Pod", "metadata": one["metadata"], "spec": template["spec"]}


@pytest.fixture
def results(objects):
    running = list(pods(objects))
    assert len(running) > 5
    return judged(replace(hardened(), objects=(*no_tokens(), *objects, *running)))


def test_no_control_fails_for_what_is_declared(results):
    wrong = {result.number: result.why for result in results if result.outcome == FAIL}

    assert wrong == {}


def test_what_touches_the_node_is_let_be_with_its_reason(results):
    let_be = {result.number: result.why for result in results if result.outcome == EXCEPTION}

    assert "ARP" in let_be["5.2.1"]
    assert "ARP" in let_be["5.2.5"]
    assert "exporter" in let_be["5.2.11"]
