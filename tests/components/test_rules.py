"""Every rule is broken once by a fixture of its name, and says so in words that name both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.faults import NAMESPACE, Fault, SettingsError
from components.rules import FAULTS, WARNINGS
from tests.components.stack_cases import HERE, SECRETS, read_case

RULES = {rule.__name__ for rule in (*FAULTS, *WARNINGS)}
INVALID = sorted((HERE / "invalid").rglob("*.yaml"))
VALID = sorted((HERE / "valid").glob("*.yaml"))


def named(path: Path) -> str:
    return path.stem


def faults_of(path: Path) -> tuple[Fault, ...]:
    try:
        read_case(path).settings()
    except SettingsError as error:
        return error.faults
    return ()


def assert_said(said: tuple[Fault, ...], expected: dict[str, str]) -> None:
    """Each line begins with an expected key and holds its words, and there is no other."""
    lines = {str(fault).partition(": ")[0]: str(fault) for fault in said}
    assert list(lines) == [f"{NAMESPACE}:{key}" for key in expected]
    assert len(said) == len(expected)
    for key, words in expected.items():
        assert words in lines[f"{NAMESPACE}:{key}"]


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_a_broken_rule_is_told_and_nothing_else_is(path):
    assert_said(faults_of(path), read_case(path).faults)


@pytest.mark.parametrize("path", [p for p in INVALID if not read_case(p).faults] + VALID, ids=named)
def test_what_is_allowed_loads_and_warns_of_just_what_it_should(path):
    case = read_case(path)

    assert_said(case.settings().warnings, case.warnings)


def test_every_rule_has_a_fixture_of_its_name_and_every_fixture_a_rule():
    fixtures = {path.stem.split(".")[0] for path in (HERE / "invalid").glob("*.yaml")}

    assert fixtures == RULES


@pytest.mark.parametrize("rule", FAULTS, ids=lambda rule: rule.__name__)
def test_a_rule_alone_says_all_that_its_fixture_breaks(rule, monkeypatch):
    fixture = HERE / "invalid" / f"{rule.__name__}.yaml"
    monkeypatch.setattr("components.settings.FAULTS", (rule,))

    assert_said(faults_of(fixture), read_case(fixture).faults)


@pytest.mark.parametrize("rule", WARNINGS, ids=lambda rule: rule.__name__)
def test_a_warning_of_a_fixture_is_said_by_the_rule_of_its_name(rule, monkeypatch):
    case = read_case(HERE / "invalid" / f"{rule.__name__}.yaml")
    before = len(case.settings().warnings)
    monkeypatch.setattr("components.settings.WARNINGS", [r for r in WARNINGS if r is not rule])

    assert len(case.settings().warnings) < before == len(case.warnings)


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_no_message_shows_a_secret(path):
    said = " ".join(str(fault) for fault in faults_of(path)).lower()

    assert "canary" not in said
    assert not [value for value in SECRETS.values() if value.lower() in said]
