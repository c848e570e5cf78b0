"""The page of who talks to whom is what the map says."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.traffic_of_stack import traffic_of
from ops.stack_files import STACKS, settings_of
from ops.traffic import PLACE, page

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_is_the_one_that_the_map_draws():
    assert (ROOT / PLACE).read_text() == page(traffic_of(settings_of("testing"))), (
        "run `make generated`"
    )


@pytest.mark.parametrize("stack", STACKS)
def test_the_picture_and_the_table_have_every_edge(stack):
    traffic = traffic_of(settings_of(stack))

    lines = page(traffic).splitlines()

    for edge in traffic.edges:
        drawn = [
            line
            for line in lines
            if line.strip().startswith(f"{edge.source.name} -->")
            and line.endswith(f" {edge.target.name}")
        ]
        told = [line for line in lines if line.startswith("|") and edge.why in line]
        assert len(drawn) == 1
        assert any(f"{edge.source.name} |" in line and edge.target.name in line for line in told)
