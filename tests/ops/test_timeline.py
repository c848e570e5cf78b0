"""What took how long is drawn from what the engine wrote down."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from ops.timeline import COLOURS, bars, drawing

URN = "urn:pulumi:testing::coldstorage::{}::{}"


def events(*steps: tuple[int, str, str, str]) -> list[str]:
    """Write steps (second, kind, type, name) as the engine does, after a word of its own."""
    told = [{"timestamp": 1000, "preludeEvent": {}}]
    told += [
        {"timestamp": 1000 + second, kind: {"metadata": {"urn": URN.format(of, name), "type": of}}}
        for second, kind, of, name in steps
    ]
    return [json.dumps(event) for event in told]


BEGAN, ENDED, FAILED = "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"
VM, DEPLOY = "proxmoxve:index/vmLegacy:VmLegacy", "pyinfra:index:Deploy"
RUN = events(
    (1, BEGAN, "coldstorage:database:PostgresCluster", "database"),
    (2, BEGAN, VM, "a<b"),
    (2, BEGAN, VM, "quick"),
    (3, ENDED, VM, "quick"),
    (9, ENDED, VM, "a<b"),
    (10, BEGAN, DEPLOY, "deploy"),
    (70, FAILED, DEPLOY, "deploy"),
    (70, ENDED, "coldstorage:database:PostgresCluster", "database"),
)


def test_each_resource_has_its_time_and_what_is_made_of_others_has_none():
    told = {bar.name: (bar.began, bar.seconds, bar.package) for bar in bars(RUN)}

    assert told == {
        "a<b": (2, 7, "proxmoxve"),
        "quick": (2, 1, "proxmoxve"),
        "deploy": (10, 60, "pyinfra"),
    }


def test_the_drawing_has_what_took_long_and_says_how_many_did_not():
    text = drawing(bars(RUN))
    read = ElementTree.fromstring(text)  # noqa: S314 - we have just written it
    words = [element.text for element in read.iter() if element.text]

    assert "3 resources in 70 s; 2 of them took 2 s or more" in words
    assert {"a<b", "deploy", "7 s", "60 s"} <= {*words}
    assert "quick" not in words
    assert COLOURS["pyinfra"][1] in text


def test_a_name_that_is_too_long_is_told_by_its_end():
    name = "load-balancer-customresourcedefinition-communities.metallb.io"
    text = drawing(bars(events((0, BEGAN, VM, name), (5, ENDED, VM, name))))

    assert f">…{name[-45:]}<" in text
    assert name not in text


def test_a_run_of_which_nothing_is_known_is_drawn_too():
    assert "0 resources in 0 s" in drawing(bars([]))
