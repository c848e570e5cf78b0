"""One `up` ends with the application answering at its address; later ones never interrupt it.

The tests tell one story in the order of the file: a platform takes minutes to make.
"""

from __future__ import annotations

import json
import logging
from ipaddress import IPv4Address

import pytest

from lab.checkout import place_of
from lab.machines import Network
from lab.status import machines_of
from lab.up import project_of

from .kubernetes.conftest import until
from .people import People, a_person
from .requesting import Asker

pytestmark = [pytest.mark.engine, pytest.mark.machines, pytest.mark.cluster]
ADDRESS = IPv4Address("192.168.15.200")
EMPLOYEE, CUSTOMER = 8080, 8081
UP = ("pulumi", "up", "--yes", "--skip-preview")
LOG = logging.getLogger(__name__)


class Platform:
    """The platform on this computer as somebody sees it."""

    def __init__(self, person: People) -> None:
        self.run, self.fail = person.run, person.fail
        self.run("up")
        self.network = Network(place_of("testing"))
        self.asker = Asker(self.network, ADDRESS)

    def up(self, *options: str) -> str:
        return self.run(*UP, *options)

    def kubectl(self, words: str) -> str:
        machines = machines_of(place_of("testing"))
        node = next(m for m in machines if m.name == "k3s-node1")
        return node.ssh(f"k3s kubectl --namespace=application {words}")

    def pods(self, portal: str) -> dict[str, str]:
        """Return the node of each pod that is ready."""
        said = self.kubectl(f"get pods -l app.kubernetes.io/component={portal} -o json")
        return {
            pod["metadata"]["name"]: pod["spec"]["nodeName"]
            for pod in json.loads(said)["items"]
            for condition in pod["status"].get("conditions", [])
            if (condition["type"], condition["status"]) == ("Ready", "True")
            and "deletionTimestamp" not in pod["metadata"]
        }

    def images(self, portal: str) -> set[str]:
        path = "{.spec.template.spec.containers[*].image}"
        return {*self.kubectl(f"get deployment {portal} -o jsonpath='{path}'").split()}


@pytest.fixture(scope="module")
def platform():
    with a_person() as person:
        yield Platform(person)


def test_both_portals_answer_at_the_applications_address(platform):
    for port, portal in ((EMPLOYEE, "employee"), (CUSTOMER, "customer")):
        code, said = platform.asker.ask(port)
        assert (code, said["portal"]) == (200, portal)


def test_what_one_portal_writes_the_other_reads_and_the_cache_keeps(platform):
    code, written = platform.asker.ask(EMPLOYEE, "/rooms/A1/crates", "POST")
    assert (code, written["room"]) == (201, "A1")

    first, second = (platform.asker.ask(CUSTOMER)[1] for _ in range(2))

    assert first["rooms"]["A1"] == second["rooms"]["A1"] == written["id"]
    assert (first["cached"], second["cached"]) == (False, True)
    code, _ = platform.asker.ask(CUSTOMER, "/rooms/A1/crates", "POST")
    assert code == 404


def test_pods_are_on_all_nodes(platform):
    for portal in ("employee", "customer"):
        until(lambda p=portal: len({*platform.pods(p).values()}) == 3, 60, "pods on three nodes")


def test_a_second_up_and_a_refresh_change_nothing(platform):
    platform.up("--expect-no-changes")
    platform.run("pulumi", "refresh", "--yes", "--expect-no-changes")


def test_a_rollout_under_load_fails_no_request(platform):
    project = project_of("testing")
    before = platform.pods("employee")
    project.configure({"redis": {"ttl_seconds": {**project.section("redis")["ttl_seconds"], "room_stats": 5}}})  # fmt: skip  # noqa: E501

    with platform.asker.asking(EMPLOYEE) as asked:
        platform.up()
        until(lambda: not platform.pods("employee").keys() & before.keys(), 90, "all pods are new")

    LOG.info("a rollout: %d requests, %d failed", asked.count, len(asked.failed))
    assert asked.count > 100
    assert len(asked.pods) > 3
    assert not asked.failed


def test_an_image_that_is_not_there_is_taken_back_and_fails_no_request(platform):
    project = project_of("testing")
    there, images = project.section("application")["digest"], platform.images("employee")
    project.configure({"application": {"digest": "0" * 64}})

    with platform.asker.asking(EMPLOYEE) as asked:
        said = platform.fail(*UP)
    project.configure({"application": {"digest": there}})

    LOG.info("a bad image: %d requests, %d failed", asked.count, len(asked.failed))
    assert "the rollout was taken back: 3 pods go on with" in said
    assert "ImagePullBackOff" in said
    assert platform.images("employee") == images
    assert len(platform.pods("employee")) == 3
    assert asked.count > 1000
    assert not asked.failed
    before = platform.pods("employee")
    platform.up()
    assert platform.pods("employee") == before
    platform.run("pulumi", "refresh", "--yes", "--expect-no-changes")


def test_a_cluster_that_does_not_answer_holds_nothing_else_up(platform):
    platform.network.ip("route", "add", "blackhole", "192.168.15.205/32")
    try:
        seen = platform.run("pulumi", "preview")
        kept = platform.run("pulumi", "refresh", "--yes")
    finally:
        platform.network.ip("route", "delete", "blackhole", "192.168.15.205/32")

    assert "unreachable" in seen
    assert "unreachable" in kept
    platform.up("--expect-no-changes")


def test_destroy_leaves_no_machine(platform):
    platform.run("pulumi", "destroy", "--yes", "--skip-preview")

    assert not machines_of(place_of("testing"))
