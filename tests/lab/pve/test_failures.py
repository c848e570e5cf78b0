"""Failures on demand: which call they hit, and what is done and what is not."""

from __future__ import annotations

import http.client
import time

import pytest

from lab.pve.failures import Failure, How

POOLS = "/pools"
GONE = (ConnectionError, http.client.BadStatusLine, OSError)


def names(proxmox) -> set[str]:
    return set(proxmox.cluster.pools)


def make(proxmox, *pools: str) -> list[int]:
    return [proxmox.call("POST", POOLS, poolid=pool).status for pool in pools]


def test_the_nth_call_is_refused_and_not_done(proxmox):
    failures = proxmox.app.state.failures

    with failures.asked(Failure(how=How.REFUSED, nth=2)):
        statuses = make(proxmox, "a", "b", "c")

    assert statuses == [200, 500, 200]
    assert names(proxmox) == {"a", "c"}
    assert make(proxmox, "d") == [200]


def test_only_calls_that_match_are_counted_and_reading_is_none(proxmox):
    failures = proxmox.app.state.failures

    with failures.asked(Failure(how=How.REFUSED, call="POST /nodes/pve/qemu$", times=2)):
        assert make(proxmox, "a") == [200]
        proxmox.get("/nodes")
        for vm_id in (210, 211):
            assert proxmox.call("POST", "/nodes/pve/qemu", vmid=vm_id).status == 500
        assert proxmox.create(212) == "OK"


def test_a_call_is_done_and_never_answered(proxmox):
    failures = proxmox.app.state.failures

    with failures.asked(Failure(how=How.UNANSWERED)), pytest.raises(GONE):
        proxmox.call("POST", POOLS, poolid="a")

    assert names(proxmox) == {"a"}
    assert proxmox.call("GET", "/version").status == 200


def test_a_call_hangs_and_is_never_done(proxmox):
    failures = proxmox.app.state.failures
    started = time.monotonic()

    with failures.asked(Failure(how=How.HANGS, seconds=0.3)), pytest.raises(GONE):
        proxmox.call("POST", POOLS, poolid="a")

    assert time.monotonic() - started > 0.3
    assert not names(proxmox)


def test_each_call_is_written_down_and_told_before_it_changes_anything(proxmox):
    seen = []
    proxmox.app.state.before_change = lambda path: seen.append((path, names(proxmox)))
    proxmox.app.state.calls.clear()

    make(proxmox, "a")

    assert seen == [("/api2/json/pools", set())]
    assert proxmox.app.state.calls == ["POST /pools"]
