"""Both stacks on the real engine, as far as a plan: nothing may be made."""

from __future__ import annotations

import dataclasses
import json

import pytest

from lab.on_records import running
from ops.stack_files import STACKS, settings_of

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=STACKS)
def previewed(request, tmp_path_factory):
    with running(request.param, tmp_path_factory.mktemp(request.param)) as lab:
        yield lab, lab.pulumi("preview")


def test_a_preview_names_every_machine(previewed):
    lab, preview = previewed

    assert not [name for name in settings_of(lab.stack).machines if name not in preview.stdout]


def test_a_preview_only_reads(previewed):
    lab, _ = previewed

    assert lab.calls, "the provider or the guard must have asked something"
    assert {call.split()[0] for call in lab.calls} == {"GET"}
    assert not lab.cluster.vms


def test_a_preview_prints_no_secret(previewed):
    lab, preview = previewed
    told = preview.stdout + preview.stderr

    assert not [word for word in dataclasses.astuple(lab.credentials) if word in told]


def test_a_preview_shows_no_error_and_no_traceback(previewed):
    _, preview = previewed

    assert "error" not in preview.stdout
    assert "Traceback" not in preview.stdout + preview.stderr


def test_a_plan_of_a_new_stack_can_be_read_by_programs(previewed):
    """The repair reads it; a secret that has no value yet would end the engine."""
    lab, _ = previewed

    steps = json.loads(lab.pulumi("preview", "--json").stdout)["steps"]

    assert {"application-secrets", "connector-token"} <= {
        step["urn"].rsplit("::", 1)[1] for step in steps
    }
