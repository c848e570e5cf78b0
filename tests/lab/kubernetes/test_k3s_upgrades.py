"""The version changes in the stack file: one minor after the other, and whoever asks is answered.

The tests tell one story in the order of the file: 1.33 -> 1.34, cut off in the middle and resumed,
-> 1.35. Each needs its minor: ``python3 -m toolchain --cluster 1.34.4`` (or ``1.35.0``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.kubernetes import Distribution
from lab.machines import BaseImage
from lab.machines.network import NAMESPACES, entered
from pulumi_pyinfra.failures import DeployFailedError
from pulumi_pyinfra.protocol import Broken, Operation, Request, Status
from pulumi_pyinfra.worker_process import Worker
from tests.lab.machines.conftest import a_lab
from toolchain.cache import Cache

from .asked import Asked, web
from .conftest import until
from .deployed import ADDRESS, SERVERS, Deployed, failed

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
FIRST, SECOND, THIRD = SERVERS
LOG = logging.getLogger(__name__)
K3S = "hosts.k3s:k3s"


def built(kubernetes: str) -> pytest.MarkDecorator:
    """Skip where a minor was not built."""
    there = Cache.of_this_user().stamp(f"kubernetes-{kubernetes}") is not None
    return pytest.mark.skipif(not there, reason=f"python3 -m toolchain --cluster {kubernetes}")


@dataclass
class Upgraded(Deployed):
    """A cluster whose release may change, as the stack file says it."""

    def to(self, kubernetes: str) -> None:
        self.release = Distribution(kubernetes=kubernetes)
        self.__dict__.pop("told_release", None)

    def to_version(self, version: str) -> None:
        """Want a release that is not there: what is refused is refused before it is fetched."""
        self.__dict__["told_release"] = {**self.told_release, "version": version}

    def apply_manifests(self, *manifests: object) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.machine(FIRST).ssh(f"k3s kubectl apply -f - <<'END'\n{text}\nEND")

    def versions(self) -> dict[str, str]:
        items = json.loads(self.kubectl("get nodes -o json"))["items"]
        return {i["metadata"]["name"]: i["status"]["nodeInfo"]["kubeletVersion"] for i in items}

    def cordoned(self) -> set[str]:
        items = json.loads(self.kubectl("get nodes -o json"))["items"]
        return {i["metadata"]["name"] for i in items if i["spec"].get("unschedulable")}

    def cut_off(self, request: Request, at: str) -> None:
        """Kill the worker in the moment in which it starts an operation."""

        async def listen() -> None:
            worker = Worker()
            async for event in worker.events(request):
                started = isinstance(event, Operation) and event.status is Status.STARTED
                if started and at in event.name:
                    assert worker._process
                    worker._process.kill()

        with (
            entered(NAMESPACES / self.lab.place.namespace),
            pytest.raises(DeployFailedError, match="before it was done"),
        ):
            asyncio.run(asyncio.wait_for(listen(), 300))


@pytest.fixture(scope="module")
def three() -> Iterator[Upgraded]:
    with a_lab(BaseImage().obtain()) as lab:
        made = Upgraded(lab, Distribution())
        made.start(*SERVERS)
        made.roll_out()
        yield made


@pytest.fixture(scope="module")
def asked(three) -> Iterator[Asked]:
    """Somebody asks a service of three pods, at every node in turn, from now to the end."""
    three.apply_manifests(*web())
    client = Asked(NAMESPACES / three.lab.place.namespace, [ADDRESS[name] for name in SERVERS])
    until(client.answered_everywhere, 120, "the service answers at every node")
    with client.running():
        yield client


def refused(three: Upgraded) -> str:
    """Return what a preview says against the version."""
    events = three.ask(three.request("plan", K3S))
    return "\n".join(event.reason for event in events if isinstance(event, Broken))


def test_a_preview_refuses_to_skip_a_minor_and_says_the_ladder(three):
    three.to_version("v1.35.0+k3s1")

    assert "skips a minor: go v1.33 -> v1.34 -> v1.35" in refused(three)


@pytest.mark.usefixtures("asked")
def test_a_node_whose_pods_may_not_leave_is_left_as_it_was(three):
    three.to_version("v1.34.4+k3s1")
    three.more = {"drain_seconds": 5}
    three.kubectl('-n web patch pdb web --type merge -p \'{"spec":{"minAvailable":3}}\'')

    told = "\n".join(failed(three.ask(three.request("apply", K3S, FIRST))))

    assert "takes pods again, its own could not leave" in told
    assert not three.cordoned()
    assert set(three.versions().values()) == {"v1.33.4"}
    three.more = {}
    three.kubectl('-n web patch pdb web --type merge -p \'{"spec":{"minAvailable":2}}\'')


@built("1.34.4")
@pytest.mark.usefixtures("asked")
def test_a_run_that_is_cut_off_in_the_middle_is_finished_by_the_next(three):
    three.to("1.34.4")
    began = time.monotonic()
    three.apply(FIRST)
    three.well(FIRST)
    LOG.info("one server upgraded, drained and ready: %.1f s", time.monotonic() - began)
    assert three.versions() == {FIRST: "v1.34.4", SECOND: "v1.33.4", THIRD: "v1.33.4"}
    saved = three.machine(FIRST).ssh("k3s-snapshots list")
    assert "-before-v1.34.4-k3s1-" in saved

    three.cut_off(three.request("apply", K3S, SECOND), at="Restart K3s when")
    assert three.cordoned() == {SECOND}
    for name in (SECOND, THIRD):
        three.apply(name)
        three.well(name)

    assert set(three.versions().values()) == {"v1.34.4"}
    assert not three.cordoned()
    LOG.info("1.33.4 to 1.34.4, cut off once: %.1f s", time.monotonic() - began)


@built("1.35.0")
@pytest.mark.usefixtures("asked")
def test_the_next_minor(three):
    three.to("1.35.0")
    began = time.monotonic()
    for name in SERVERS:
        three.apply(name)
        three.well(name)
    LOG.info("1.34.4 to 1.35.0: %.1f s", time.monotonic() - began)

    assert set(three.versions().values()) == {"v1.35.0"}
    assert not three.cordoned()


@built("1.34.4")
def test_nobody_was_left_without_an_answer(asked):
    asked.stop()
    LOG.info("asked %d times, %d failed, slowest %.2f s: %s", *asked.told())

    assert asked.times > 1000
    assert not asked.faults


@built("1.34.4")
def test_a_preview_refuses_to_go_back(three):
    three.to("1.33.4")

    assert "is a downgrade" in refused(three)
