"""The objects of a whole stack, with all that its file may name images for."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from ops.stack_files import STACKS
from tests import conftest

from .published import file_of
from .rendered import Manifest, manifests

IMAGE = "any/image:v1@sha256:" + "0" * 64
WATCHING = ("prometheus", "alertmanager", "kube_state_metrics", "node_exporter", "grafana")
METALLB = ("metallb", "go.universe.tf/metallb", "config/manifests/metallb-native.yaml")


def metallb() -> list[Manifest]:
    """Return what MetalLB's makers publish."""
    text = file_of(*METALLB).read_text(encoding="utf-8")
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.fixture(scope="session")
def kept() -> dict[str, list[Manifest]]:
    """Return what was rendered once."""
    return {}


@pytest.fixture
def rendered(up, kept, monkeypatch) -> Callable[[str], list[Manifest]]:
    """Return the objects of a stack that is watched too, to do with as one likes."""
    config_of = conftest.config_of

    def watched(stack: str) -> dict[str, Any]:
        config = config_of(stack)
        section = json.loads(config["coldstorage:monitoring"])
        section |= {"images": dict.fromkeys(WATCHING, IMAGE)}
        return {**config, "coldstorage:monitoring": json.dumps(section)}

    monkeypatch.setattr(conftest, "config_of", watched)
    monkeypatch.setattr("components.application_of_stack.manifests", lambda _: metallb())

    def of(stack: str) -> list[Manifest]:
        if stack not in kept:
            kept[stack] = manifests(up(stack))
        return deepcopy(kept[stack])

    return of


@pytest.fixture(params=STACKS)
def objects(request, rendered) -> list[Manifest]:
    """Return the objects of each stack."""
    found: list[Manifest] = rendered(request.param)
    return found
