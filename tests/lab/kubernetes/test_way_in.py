"""Visitors come through the edge and the tunnel to what pods let through, or are turned away.

The tests tell one story in the order of the file: a cluster takes a minute to make.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator

import pytest

from .behind_the_tunnel import DOMAIN, Behind, behind_the_tunnel
from .conftest import SERVERS, until

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
CUSTOMERS, EMPLOYEES = f"https://{DOMAIN}", f"https://employee.{DOMAIN}"
STAFF, STRANGER = "anna@gurukripacoldstore.in", "me@elsewhere.org"
LOG = logging.getLogger(__name__)
FIRST, SECOND, THIRD = SERVERS


@pytest.fixture(scope="module")
def behind(cluster, tmp_path_factory) -> Iterator[Behind]:
    with behind_the_tunnel(cluster, tmp_path_factory.mktemp("behind")) as made:
        yield made


def test_every_connector_is_on_a_node_of_its_own_and_says_that_it_is_ready(behind):
    started = time.monotonic()
    until(lambda: behind.connectors() == dict.fromkeys(SERVERS, True), 120, "three are ready")
    LOG.info("three connectors ready after %.1f s", time.monotonic() - started)

    said = behind.kubectl("logs deployment/cloudflared")
    assert "STAND-IN" in said
    assert "Registered tunnel connection" in said


def test_a_fourth_has_no_place(behind):
    behind.kubectl("scale deployment/cloudflared --replicas=4")
    try:
        until(lambda: len(behind.objects("pods", "-l app.kubernetes.io/name=cloudflared")) == 4, 30,
              "a fourth")  # fmt: skip
        until(lambda: "anti-affinity" in behind.kubectl("get events"), 30, "why it has no place")
        assert "nowhere" in behind.connectors()
    finally:
        behind.kubectl("scale deployment/cloudflared --replicas=3")


def test_what_is_for_all_is_served_through_the_edge(behind):
    answer = behind.ask(f"{CUSTOMERS}/")

    assert (answer.status, answer.body.strip()) == (200, "the application")


def test_a_stranger_is_sent_to_the_login_and_turned_away_there(behind):
    asked = behind.ask(f"{EMPLOYEES}/")
    logged_in = behind.visitor("another").log_in(f"{EMPLOYEES}/", STRANGER)

    assert asked.status == 302
    assert "/cdn-cgi/access/login/" in asked.location
    assert logged_in.status == 403


def test_one_of_the_staff_passes(behind):
    answer = behind.ask(f"{EMPLOYEES}/", STAFF)

    assert (answer.status, answer.body.strip()) == (200, "the application")


@pytest.mark.parametrize("name", [CUSTOMERS, EMPLOYEES])
def test_the_page_of_the_infrastructure_is_for_staff_alone_on_both_names(behind, name):
    asked = behind.visitor(f"new at {DOMAIN}").ask(f"{name}/infrastructure/")

    assert "/cdn-cgi/access/login/" in asked.location
    assert behind.ask(f"{name}/infrastructure/", STAFF).status == 200


def test_a_name_that_is_not_ours_leads_nowhere(behind):
    assert behind.ask(f"https://other.{DOMAIN}/").status == 530


def test_the_probe_fails_when_a_connector_hangs_that_says_it_is_ready(behind):
    well = behind.probe("all-is-well")
    assert well.startswith("Complete")
    assert well.count("200 after") == 12

    behind.hang_or_answer(SECOND)
    hung = behind.probe("one-hangs")
    ready = behind.connectors()
    behind.hang_or_answer(SECOND)

    assert hung.startswith("Failed")
    assert "timed out" in hung
    assert ready == dict.fromkeys(SERVERS, True)
    assert behind.probe("well-again").startswith("Complete")


def test_the_token_is_not_among_the_arguments_nor_in_the_environment(behind):
    (secret,) = behind.objects("secrets", "--field-selector=type=Opaque")
    token = base64.b64decode(secret["data"]["token"]).decode()
    words = behind.cluster.lab.machines[FIRST].ssh(
        "pid=$(pgrep -x cloudflared); cat /proc/$pid/cmdline /proc/$pid/environ | tr '\\0' '\\n'"
    )

    assert "--token-file" in words
    assert len(token) > 100
    assert token not in words


def test_a_drain_takes_one_connector_and_no_request(behind):
    asked = "--ignore-daemonsets --delete-emptydir-data --timeout=90s"
    behind.cluster.kubectl(f"drain {THIRD} {asked}")
    try:
        assert set(behind.connectors()) <= {FIRST, SECOND, "nowhere"}
        assert {behind.ask(f"{CUSTOMERS}/").status for _ in range(10)} == {200}
    finally:
        behind.cluster.kubectl(f"uncordon {THIRD}")
    until(lambda: behind.connectors() == dict.fromkeys(SERVERS, True), 60, "three again")


def test_another_token_starts_the_connectors_anew_one_by_one(behind):
    mark = {"spec": {"template": {"metadata": {"annotations": {"coldstorage/token": "another"}}}}}
    behind.kubectl(f"patch deployment cloudflared --patch '{json.dumps(mark)}'")

    lost = 0
    while "successfully rolled out" not in behind.kubectl(
        "rollout status deployment/cloudflared --timeout=1s 2>&1 || true"
    ):
        lost += behind.ask(f"{CUSTOMERS}/").status != 200

    assert lost == 0
    assert behind.connectors() == dict.fromkeys(SERVERS, True)
