"""A stack file becomes settings whole, or is refused with all that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from shutil import copy
from time import perf_counter

import pulumi
import pytest
from pulumi.runtime import set_all_config

from components import settings
from components.faults import SettingsError, key, shown
from components.sections import Platform, Role
from components.settings import PROJECT as ROOT
from tests.components.stack_cases import HERE, SECRETS, patched, read_case, stack_file

TESTING = stack_file("testing") | SECRETS


def sent(raw: dict[str, object]) -> dict[str, str]:
    """Return a stack file as the engine sends it: sections as JSON, every mapping sorted."""
    return {
        f"coldstorage:{name}": value
        if isinstance(value, str)
        else json.dumps(value, sort_keys=True)
        for name, value in sorted(raw.items())
    }


@pytest.fixture
def load(monkeypatch):
    """Load what an engine would send of a stack."""

    def of(raw, secret_keys=tuple(SECRETS), folder=ROOT, stack="testing"):
        monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
        others = {"pulumi:tags": "{}", "elsewhere:platform": "hetzner"}
        set_all_config(sent(raw) | others, [f"coldstorage:{name}" for name in secret_keys])
        return settings.load(folder)

    yield of
    set_all_config({}, [])


def test_what_the_engine_sends_is_what_the_file_says(load):
    loaded = load(TESTING)

    assert loaded == settings.parse(
        "testing", TESTING, SECRETS, {"production": stack_file("production")}
    )
    assert loaded.stack == "testing"
    assert loaded.platform is Platform.PROXMOX
    assert loaded.hetzner is None


def test_machines_stand_in_the_order_of_the_file_though_the_engine_sorts_them(load):
    assert list(load(TESTING).machines) == list(TESTING["machines"])
    assert list(TESTING["machines"]) != sorted(TESTING["machines"])


def test_the_kubernetes_api_has_an_address_of_its_own_or_the_first_servers(load):
    network = {k: v for k, v in TESTING["network"].items() if k != "api_address"}

    assert str(load(TESTING).api_address) == "192.168.15.205"
    assert str(load({**TESTING, "network": network}).api_address) == "192.168.15.110"


def test_settings_are_final(load):
    loaded = load(TESTING)

    with pytest.raises(FrozenInstanceError):
        loaded.platform = Platform.HETZNER
    with pytest.raises(TypeError):
        loaded.machines["another"] = loaded.machines["db-node1"]


def test_settings_hold_no_secret(load):
    loaded = repr(load(TESTING))

    assert not [value for value in SECRETS.values() if value in loaded]


def test_warnings_are_logged_and_stop_nothing(load, capfd):
    loaded = load(TESTING)

    logged = capfd.readouterr().err
    assert len(loaded.warnings) == 2
    assert all(str(warning) in logged for warning in loaded.warnings)


def test_every_stack_file_beside_the_program_is_a_neighbour(load, tmp_path):
    copy(ROOT / "Pulumi.testing.yaml", tmp_path)
    third = stack_file("production") | {"environment": TESTING["environment"]}
    lines = {f"coldstorage:{name}": value for name, value in third.items()}
    (tmp_path / "Pulumi.third.yaml").write_text(json.dumps({"config": lines}))

    with pytest.raises(SettingsError, match=r"environment.domain of Pulumi\.third\.yaml"):
        load(TESTING, folder=tmp_path)


def test_a_stack_file_that_pulumi_has_just_made_is_no_hindrance(load, tmp_path):
    (tmp_path / "Pulumi.new.yaml").write_text("encryptionsalt: v1:abc\n")
    (tmp_path / "Pulumi.newer.yaml").write_text("")

    assert load(TESTING, folder=tmp_path).stack == "testing"


def test_a_stack_file_that_is_no_yaml_is_named(load, tmp_path):
    (tmp_path / "Pulumi.other.yaml").write_text("config: {\n")

    with pytest.raises(pulumi.RunError, match=r"Pulumi\.other\.yaml is not YAML"):
        load(TESTING, folder=tmp_path)


def test_a_secret_that_the_engine_does_not_call_one_is_refused(load):
    with pytest.raises(SettingsError, match="cloudflare_api_token: is a secret in plain text"):
        load(TESTING, secret_keys=["proxmox_api_token", "hcloud_token"])


def test_text_where_a_section_belongs_is_a_fault_and_no_crash(load):
    with pytest.raises(SettingsError, match="coldstorage:machines: none is not valid"):
        load(TESTING | {"machines": "none"})


def test_ten_faults_are_told_at_once_in_the_order_of_the_file():
    with pytest.raises(SettingsError) as refused:
        read_case(HERE / "ten_faults.yaml").settings()

    assert f"{refused.value}\n" == (HERE / "ten_faults.txt").read_text()
    assert len(refused.value.faults) == 10


def test_a_refusal_ends_a_run_without_a_traceback():
    assert issubclass(SettingsError, pulumi.RunError)


def test_a_bad_machine_hides_no_fault_of_another_and_costs_no_quorum():
    machines = {"db-node1": {"address": "nowhere"}, "db-node2": {"address": "192.168.15.110"}}
    with pytest.raises(SettingsError) as refused:
        settings.parse("testing", patched(TESTING, {"machines": machines}), SECRETS, {})

    assert [key(*fault.path) for fault in refused.value.faults] == [
        "coldstorage:machines.db-node1.address",
        "coldstorage:machines.db-node2.address",
    ]


def test_an_empty_stack_file_is_told_all_that_is_missing():
    with pytest.raises(SettingsError) as refused:
        settings.parse("new", {}, [], {})

    told = {fault.path[0] for fault in refused.value.faults if fault.wrong == "is missing"}
    assert told == set(settings.required_sections())
    assert str(refused.value).startswith("Pulumi.new.yaml is not valid (11 faults):\n")


def test_a_long_value_is_cut_and_stays_on_its_line():
    assert shown("a\n" * 100) == f"{'a ' * 30}..."
    assert shown("") == '""'


@pytest.mark.parametrize("system", sorted(path.stem for path in (HERE / "systems").glob("*.yaml")))
def test_the_other_systems_can_be_said(system):
    loaded = settings.parse(system, stack_file(system) | SECRETS, SECRETS, {})

    assert loaded.machines


def test_system_4_is_warned_that_one_of_its_two_servers_holds_the_quorum():
    raw = stack_file("4-two-servers") | SECRETS
    loaded = settings.parse("four", raw, SECRETS, {})

    assert [str(warning) for warning in loaded.warnings] == [
        "coldstorage:machines.k8s-cp3.proxmox.node: server1 holds 2 of 3 k3s-server machines"
        " (k8s, k8s-cp3), so losing it loses their quorum; expected at most 1 of them in one place"
    ]
    assert sum(m.role is Role.K3S_AGENT for m in loaded.machines.values()) == 10


def test_loading_takes_less_than_a_blink():
    neighbours = {"production": stack_file("production")}
    settings.parse("testing", TESTING, SECRETS, neighbours)
    before = perf_counter()

    settings.parse("testing", TESTING, SECRETS, neighbours)

    assert perf_counter() - before < 0.05


def in_another_process(code: str, **environment: str) -> str:
    """Return what a fresh Python prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, env=environment, text=True, capture_output=True, check=True
    ).stdout.strip()


def test_the_settings_need_no_provider_to_be_imported():
    modules = in_another_process("import sys, components.settings; print(*sys.modules)").split()

    assert "components.settings" in modules
    assert not [name for name in modules if name.startswith("pulumi_")]


def test_the_settings_load_as_the_language_host_hands_them_over():
    # These two lines are what Pulumi's own pulumi-language-python-exec does before the program.
    code = (
        "import pulumi\n"
        "pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(),"
        " pulumi.runtime.get_config_secret_keys_env())\n"
        "pulumi.get_stack = lambda: 'testing'\n"
        "from components import settings\n"
        "print(settings.load().environment.domain)"
    )
    printed = in_another_process(
        code,
        PULUMI_CONFIG=json.dumps(sent(TESTING)),
        PULUMI_CONFIG_SECRET_KEYS=json.dumps([f"coldstorage:{name}" for name in SECRETS]),
    )

    assert printed == "ailakshya.in"


def test_a_path_says_where_a_stack_file_is_read_from():
    assert Path(__file__).resolve().parents[2] == settings.PROJECT
