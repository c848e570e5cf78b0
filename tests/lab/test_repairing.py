"""A state that an engine was killed in the middle of writing is made whole again."""

from __future__ import annotations

import json

import pytest

from lab import repairing
from lab.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a state, for which the repair itself is only noted."""
    project = Project(folder=tmp_path, stack="testing", variables={})
    project.checkpoint.parent.mkdir(parents=True)
    state = json.dumps({"checkpoint": {"latest": {"pending_operations": []}}})
    project.checkpoint.write_text(state)
    beside(project, ".attrs").write_text("{}")
    beside(project, ".bak").write_text(state)
    project.repairs = []
    monkeypatch.setattr(repairing, "_repair", lambda _, *options: project.repairs.append(options))
    return project


def beside(project, suffix: str):
    return project.checkpoint.with_name(f"{project.checkpoint.name}{suffix}")


def test_a_state_that_is_whole_is_left_alone(project):
    assert repairing.repaired(project) == "nothing"
    assert project.repairs == []


def test_attributes_that_were_cut_off_are_taken_away(project):
    beside(project, ".attrs").write_text("")

    said = repairing.repaired(project)

    assert said == "half-written attributes of the state"
    assert not beside(project, ".attrs").exists()
    assert project.repairs == [()]


@pytest.mark.parametrize("left", ["", '{"checkpoint": {"lat'])
def test_a_state_that_was_cut_off_is_that_before(project, left):
    project.checkpoint.write_text(left)

    assert repairing.repaired(project) == "half-written state"
    assert json.loads(project.checkpoint.read_text())["checkpoint"]
    assert project.repairs == [()]


def test_a_lock_that_was_left_is_taken_away_with_the_repair(project):
    lock = project.folder / "state/.pulumi/locks/organization/coldstorage/testing/one.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")

    assert repairing.repaired(project) == "a killed run's lock"
    assert project.repairs == [("--unlock",)]


def test_what_was_under_way_is_told(project):
    latest = {"pending_operations": [{"type": "creating"}, {"type": "creating"}]}
    project.checkpoint.write_text(json.dumps({"checkpoint": {"latest": latest}}))

    assert repairing.repaired(project) == "2 operations under way"


def test_a_lab_that_was_never_up_has_nothing_to_repair(tmp_path):
    project = Project(folder=tmp_path, stack="testing", variables={})

    assert repairing.repaired(project) == "nothing"
