"""No edit replaces a machine or deletes a disk, unless the short list says so.

Generated: from every input that the components set, from the providers' schemas, and from every
edit of every value of the sections that reach the machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import pytest

from components.machines import replacements_hetzner, replacements_proxmox
from components.machines.replacements import ATTACHMENT, NETWORK, SUBNET, Effect, Row
from components.sections import Machine
from components.settings import Settings
from tests.components.machines.edits import edits
from tests.components.machines.programs import DOCFAST, TESTING, program
from tests.components.machines.replacements_page import PAGE, page
from tests.components.machines.schema import inside, leaves, of_each, replacing
from tests.recording import Deployment, Registered, run

ROWS = (*replacements_proxmox.ROWS, *replacements_hetzner.ROWS)
# Ignored for what the provider does with it; no setting leads there.
NOT_EDITS = {replacements_proxmox.never_read_back(disk) for disk in (0, 1)}
MADE_BY_PLATFORM = ("proxmoxve:", "hcloud:")
# What carries machines or data: none of it may go because of an edit that is not on the list.
PRECIOUS = {row.type for row in ROWS if row.effect is Effect.REMOVED} | {NETWORK, SUBNET}

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOperator operator"


def small(settings: Settings, *names: str) -> Settings:
    """Return a stack of few machines, each on a node of its own, with an operator's key."""
    access = settings.access.model_copy(update={"authorized_keys": (KEY,)})
    machines = {name: _alone(settings.machines[name]) for name in names}
    return replace(settings, access=access, machines=machines)


def _alone(machine: Machine) -> Machine:
    own = machine.proxmox and machine.proxmox.model_copy(update={"node": f"on-{machine.address}"})
    return machine.model_copy(update={"proxmox": own})


STACKS = {
    "proxmox": small(TESTING, "k3s-node1", "db-node1"),
    "hetzner": small(DOCFAST, "k3s-mgr", "db-1"),
}


@dataclass(frozen=True)
class Seen:
    """What one edit did to one resource."""

    edit: str
    resource: Registered
    path: str
    effect: Effect

    def on(self, row: Row) -> bool:
        """Return whether ``row`` tells of this."""
        return (
            applies(row, self.resource)
            and row.effect is self.effect
            and (not row.inputs or inside(self.path, row.inputs))
            and any(is_of(self.edit, pattern) for pattern in row.settings)
        )


def is_of(edit: str, pattern: str) -> bool:
    """Return whether a setting is one of those that ``pattern`` stands for."""
    steps, wanted = edit.split("."), pattern.split(".")
    return len(steps) == len(wanted) and all(map(fnmatchcase, steps, wanted))


def applies(row: Row, resource: Registered) -> bool:
    named = row.part is None or resource.name.endswith(f"-{row.part}")
    return row.type == resource.type and named


def ours(deployed: Deployment) -> dict[str, Registered]:
    return {r.name: r for r in deployed.resources if r.type.startswith(MADE_BY_PLATFORM)}


def replaces(resource: Registered, path: str) -> bool:
    """Return whether a change of the input at ``path`` replaces ``resource``."""
    if path == "nodeName" and resource.inputs.get("migrate"):
        return False
    return inside(of_each(path), replacing(resource.type)) or inside(path, resource.replaced_on)


def effects(
    edit: str, before: dict[str, Registered], after: dict[str, Registered]
) -> Iterator[Seen]:
    for name, resource in before.items():
        if name not in after:
            if resource.type in PRECIOUS:
                yield Seen(edit, resource, "", Effect.REMOVED)
            continue
        old, new = dict(leaves(resource.inputs)), dict(leaves(after[name].inputs))
        for path in {p for p in old.keys() | new.keys() if old.get(p) != new.get(p)}:
            if inside(path, resource.ignored):
                yield Seen(edit, resource, path, Effect.KEPT)
            elif replaces(resource, path):
                yield Seen(edit, resource, path, Effect.REPLACED)


@pytest.fixture(scope="module")
def deployed() -> dict[str, Deployment]:
    return {name: run(program(settings)) for name, settings in STACKS.items()}


@pytest.fixture(scope="module")
def seen(deployed) -> list[Seen]:
    """What every single edit does to what exists."""
    return [
        what
        for name, settings in STACKS.items()
        for edit in edits(settings)
        for what in effects(edit.path, ours(deployed[name]), ours(run(program(edit.settings))))
    ]


def test_each_input_that_can_replace_something_is_on_the_list(deployed):
    unlisted = {
        f"{resource.type} {path}"
        for stack in deployed.values()
        for resource in ours(stack).values()
        for path, _ in leaves(resource.inputs)
        if replaces(resource, path)
        and not any(applies(row, resource) and inside(path, row.inputs) for row in ROWS)
    }

    assert not unlisted, f"may replace, but stands on no row: {', '.join(sorted(unlisted))}"


def test_what_the_list_keeps_is_really_kept_away(deployed):
    for stack in deployed.values():
        for resource in ours(stack).values():
            wanted = {
                path
                for row in ROWS
                if applies(row, resource) and row.effect is Effect.KEPT
                for path in row.inputs
                if any(inside(there, (path,)) for there, _ in leaves(resource.inputs))
            }
            assert resource.ignored - NOT_EDITS == wanted, resource.name


def test_no_edit_replaces_or_deletes_what_the_list_does_not_name(seen):
    harm = [s for s in seen if s.effect in (Effect.REPLACED, Effect.REMOVED)]
    unlisted = [
        f"{s.edit}: {s.effect} {s.resource.name} {s.path}"
        for s in harm
        if not any(s.on(row) for row in ROWS)
    ]

    assert len(harm) > 20, "the edits were not made"
    assert not unlisted, "\n".join(sorted(unlisted))


def test_every_edit_that_is_kept_away_is_told(seen):
    untold = {
        f"{s.edit}: {s.resource.name} {s.path}"
        for s in seen
        if s.effect is Effect.KEPT and not any(s.on(row) for row in ROWS)
    }

    assert not untold, "\n".join(sorted(untold))


@pytest.mark.parametrize(
    "row",
    ROWS,
    ids=lambda row: f"{row.type.split(':')[-1]}-{row.effect.name}-{'-'.join(row.inputs)}",
)
def test_no_row_is_unused(row, seen, deployed):
    if row.settings:
        told = [s for s in seen if s.on(row)]
        unused = {p for p in row.inputs if not any(inside(s.path, (p,)) for s in told)}
        unmade = {p for p in row.settings if not any(is_of(s.edit, p) for s in told)}
        assert told
        assert not unused
        assert not unmade
        return
    set_ones = {
        path
        for stack in deployed.values()
        for resource in ours(stack).values()
        if applies(row, resource)
        for path, _ in leaves(resource.inputs)
        if replaces(resource, path)
    }
    assert not {p for p in row.inputs if not any(inside(path, (p,)) for path in set_ones)}


@pytest.mark.parametrize("row", [r for r in ROWS if r.effect in (Effect.FIXED, Effect.FOLLOWS)])
def test_what_no_setting_leads_to_is_changed_by_none(row, seen):
    changed = [s.edit for s in seen if applies(row, s.resource) and inside(s.path, row.inputs)]

    assert not changed


def test_a_disk_is_on_the_list_only_to_be_kept_or_removed_with_its_machine():
    disks = [row for row in ROWS if row.part == "keeper" or row.type.endswith(":Volume")]

    assert disks
    assert {row.effect for row in disks} <= {Effect.KEPT, Effect.REMOVED}


@pytest.mark.parametrize("settings", [TESTING, DOCFAST], ids=lambda s: s.stack)
def test_a_machine_in_the_middle_comes_and_goes_unnoticed_by_the_others(settings):
    names = list(settings.machines)
    middle = names[1]
    without = {n: m for n, m in settings.machines.items() if n != middle}
    with_it = ours(run(program(settings)))
    others = ours(run(program(replace(settings, machines=without))))

    gone = {n for n in with_it if n not in others}
    assert gone
    assert all(middle in name for name in gone)
    same = {n for n in others if n.endswith(("-vm", "-keeper", "-server", "-data"))}
    assert {n: with_it[n].inputs for n in same} == {n: others[n].inputs for n in same}


def test_an_attachment_is_replaced_with_its_server_alone(deployed):
    attachment = ours(deployed["hetzner"])["machines-db-1-data-attached"]

    assert attachment.type == ATTACHMENT
    assert replacing(ATTACHMENT) == {"serverId", "volumeId"}


def test_the_page_says_what_the_list_says():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tests.components.machines.replacements_page"
    )
