"""What a killed run left is found, named, and told how to be adopted or removed."""

from __future__ import annotations

import shlex

import pytest

from components.machines.ownership import Wanted, refusal
from components.proxmox_api import FoundVm

WANTED = Wanted(
    type="proxmoxve:index/vmLegacy:VmLegacy",
    name="machines-db-node1-vm",
    parent="urn:pulumi:testing::coldstorage::a$b::machines-db-node1",
    provider="urn:pulumi:testing::coldstorage::pulumi:providers:proxmoxve::proxmox",
)


def found(*tags: str) -> FoundVm:
    return FoundVm(vm_id=220, name="db-node1", node="pve", tags=frozenset(tags), status="stopped")


def test_ours_is_adopted_or_removed_by_the_commands_it_names():
    reason = refusal(WANTED, "coldstorage-testing", found("coldstorage-testing", "database"))

    assert 'VM id 220 is taken by "db-node1" on pve' in reason
    assert "left by a run that was interrupted" in reason
    assert "qm stop 220; qm destroy 220" in reason
    assert reason.index("qm stop 220") < reason.index("pulumi import")
    command = next(line for line in reason.splitlines() if "pulumi import" in line)
    assert shlex.split(command) == [
        "pulumi",
        "import",
        WANTED.type,
        WANTED.name,
        "pve/220",
        "--parent",
        WANTED.parent,
        "--provider",
        WANTED.provider,
        "--generate-code=false",
    ]


@pytest.mark.parametrize("tags", [(), ("coldstorage-production", "database")])
def test_somebody_else_s_is_never_offered_for_removal(tags):
    reason = refusal(WANTED, "coldstorage-testing", found(*tags))

    assert "somebody else's" in reason
    assert "coldstorage-testing" in reason
    assert "qm destroy" not in reason
    assert "pulumi import" not in reason


def test_it_shows_what_is_there():
    assert "(stopped, tags: none)" in refusal(WANTED, "coldstorage-testing", found())
    assert "tags: a, b" in refusal(WANTED, "coldstorage-testing", found("b", "a"))
