"""A secret is on the host and nowhere else."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine
CANARY = "canary-9f1c55e0"


def test_a_secret_is_on_the_host_and_nowhere_else(project, hosts):
    project.want(hosts("a"))
    project.pulumi("config", "set", "--secret", "canary", CANARY)

    told = [project.preview("--diff"), project.up()]
    state = project.pulumi("stack", "export").stdout

    assert CANARY in hosts.read("a")
    assert not [text for text in (*told, state) if CANARY in text]
    assert "[secret]" in told[0]
