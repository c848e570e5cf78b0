"""A cluster that does not answer is said to be so within seconds, and holds nothing else up."""

from __future__ import annotations

import time

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

SECONDS = 25
"""For all of it: Python's start, the engine, and the wait for an answer."""


@pytest.fixture
def lost(project):
    """A project with one object, and then a kubeconfig that leads nowhere."""
    project.want("small", {"cluster_identifier": "one"}, objects=[{"kind": "ConfigMap"}])
    project.up()
    there = project.kubeconfig
    # The port of a loopback server that does not exist.
    project.kubeconfig = there.replace(port(there), "127.0.0.1:1")
    yield project
    project.kubeconfig = there
    want(project)
    project.up()


def port(kubeconfig: str) -> str:
    return kubeconfig.split("https://", 1)[1].split("\n", 1)[0].strip()


def want(project, **provider: object) -> None:
    provider = {"cluster_identifier": "one", **provider}
    project.want("small", provider, objects=[{"kind": "ConfigMap"}])


def test_a_preview_says_so_and_goes_on(lost):
    want(lost)
    started = time.monotonic()

    done = lost.pulumi("preview")

    assert "unreachable" in done.stdout + done.stderr
    assert time.monotonic() - started < SECONDS


def test_a_refresh_says_so_and_what_to_do(lost):
    want(lost)
    started = time.monotonic()

    said = lost.fails("refresh", "--yes", "--skip-preview", "--run-program")

    assert "unreachable" in said
    assert "nreachable" in said.replace("unreachable", "")  # skipUpdateUnreachable, or the like
    assert time.monotonic() - started < SECONDS


def test_a_refresh_that_may_skip_keeps_what_it_knows(lost):
    want(lost, skip_update_unreachable=True)

    done = lost.pulumi("refresh", "--yes", "--skip-preview", "--run-program")

    assert "unreachable" in done.stdout + done.stderr
    assert "kubernetes:core/v1:ConfigMap" in [r["type"] for r in lost.state()]


def test_a_delete_fails_with_clear_words(lost):
    lost.want("small", {"cluster_identifier": "one"}, objects=[])

    said = lost.fails("up", "--yes", "--skip-preview")

    assert "unreachable" in said
    assert "deleteUnreachable" in said or "DELETE_UNREACHABLE" in said


def test_a_delete_that_may_forget_forgets(lost):
    provider = {"cluster_identifier": "one", "delete_unreachable": True}
    lost.want("small", provider, objects=[])

    lost.up()

    assert "kubernetes:core/v1:ConfigMap" not in [r["type"] for r in lost.state()]
