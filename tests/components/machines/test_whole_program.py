"""The whole program, for every stack file."""

from __future__ import annotations

import pytest

from ops.stack_files import SECRETS, STACKS


@pytest.mark.parametrize("stack", STACKS)
def test_the_whole_program_puts_nothing_on_a_default_provider(up, stack):
    deployed = up(stack)

    unprovided = {r.name for r in deployed.resources if r.custom and r.provider is None}
    providers = {r.name for r in deployed.resources if r.type.startswith("pulumi:providers:")}
    assert deployed.result
    assert unprovided <= providers


DATA = "proxmoxve:index/vmLegacy:VmLegacy"


@pytest.mark.parametrize(("stack", "protected"), [("production", True), ("testing", False)])
def test_what_holds_data_or_opens_it_is_protected_in_production_alone(up, stack, protected):
    deployed = up(stack)
    machines = deployed.of_type(DATA)
    secrets = deployed.of_type("random:index/randomPassword:RandomPassword")
    keys = deployed.of_type("tls:index/privateKey:PrivateKey")

    assert len(machines) == 9
    assert len(secrets) == 16
    assert {r.protected for r in [*machines.values(), *secrets.values()]} == {protected}
    assert {r.protected for n, r in keys.items() if n.startswith("k3s-")} == {protected}


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_exports_where_everything_is(up, stack):
    exported = up(stack).result

    assert exported.keys() == {
        *("addresses", "virtual_addresses", "urls", "kubeconfig", "database"),
        *("dump_keys", "summary"),
    }


@pytest.mark.parametrize("stack", STACKS)
def test_no_token_reaches_a_resource_but_as_the_secret_of_its_provider(up, stack):
    deployed = up(stack)
    shown = {
        (r.name, path)
        for r in deployed.resources
        for path, value in _texts(dict(r.inputs))
        if any(secret in value for secret in SECRETS.values() if len(secret) > 8)
    }

    assert shown == {("proxmox", "apiToken")}
    assert "apiToken" in deployed.named("proxmox").secrets


def _texts(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value
