"""Rules and pictures speak of figures that somebody tells."""

from __future__ import annotations

import pytest
import yaml

from components.monitoring.monitoring import ALERTS
from components.settings import PROJECT

from .metrics import LEFT_BY_PROGRAMS, OFFERED, names_in, spoken_of

RECORDED = {
    rule["record"]
    for file in ALERTS.glob("*.yaml")
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
}


def test_every_figure_that_is_spoken_of_was_there_when_the_lab_was_watched():
    offered = {name for names in yaml.safe_load(OFFERED.read_text()).values() for name in names}

    assert spoken_of() - offered - RECORDED - LEFT_BY_PROGRAMS == set()


@pytest.mark.parametrize("name", sorted(LEFT_BY_PROGRAMS))
def test_what_programs_leave_is_written_by_one_of_them(name):
    folder = PROJECT / "hosts" / "on_machine" / "backups"

    assert any(name in file.read_text() for file in folder.glob("*.py"))


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (job, a_label) (rate(a_total{b="c_d"}[5m])) > 2', {"a_total"}),
        ('up{job="x"} == 0 or absent(other_thing)', {"up", "other_thing"}),
        ("a:b and on (machine) c_d unless on (x_y) e_f", {"a:b", "c_d", "e_f"}),
        ("time() - max(a_seconds) > 26 * 3600", {"a_seconds"}),
    ],
)
def test_names_are_found_in_expressions(expression, names):
    assert names_in(expression) == names
