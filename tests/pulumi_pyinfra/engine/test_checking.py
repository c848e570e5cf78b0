"""What can't be right is refused before anything runs, all of it at once."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine


def test_every_fault_is_told_by_host_and_key_before_anything_runs(project, hosts):
    project.want(hosts("a", "b", a={"txet": "x"}, b={"text": "x" * 50}))

    told = project.up(check=False)

    assert "host a: txet: unknown key, did you mean text?" in told
    assert "host b: text: must have 40 characters at most, got 50" in told
    assert hosts.read("a") is None


def test_every_fault_in_the_shape_is_told_at_once(project, hosts):
    secret = "canary-key"
    wanted = hosts("a", "b")
    wanted["a"]["ssh"] = {"address": "192.0.2.1", "user": "x", "private_key": secret, "port": 0}
    project.want(
        wanted,
        deploy="deploys.page",
        rollout={"serial": 0, "last": ["c"]},
        gone=["b"],
    )

    told = project.up(check=False)

    assert "deploy: must be an import path like package.module:function" in told
    assert "hosts[a].connector.port: must be 1-65535, got 0" in told
    assert "rollout.serial: must be at least 1, got 0" in told
    assert secret not in told
    assert "rollout.last: c is no host of the group; there are a, b" in told
    assert "gone: b is still a host of the group" in told


def test_every_deploy_that_may_run_later_is_checked_now(project, hosts):
    project.want(
        hosts("a"),
        leave="deploys.page:lost",
        on_delete="deploys.nowhere:cleaned",
        rollout={"probe": "deploys.system:system", "last_if": "deploys.page:leads"},
    )

    told = project.up(check=False)

    assert "leave: deploys.page:lost: deploys.page has no function lost" in told
    assert "No module named 'deploys.nowhere'" in told
    assert "rollout.probe: every host: folder: unknown key" in told or "host a: folder" in told
    assert hosts.read("a") is None
