"""Data outlives machines, on both platforms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.sections import Environment
from tests.components.machines.programs import DOCFAST, PRODUCTION, TESTING, VM, program

PROTECTED_DOCFAST = replace(
    DOCFAST, environment=Environment(domain="docfast.dev", protect_data=True)
)


def test_the_disk_is_another_vm_s_and_attached_by_its_path(testing):
    keeper = testing.named("machines-db-node1-data-keeper")
    machine = testing.named("machines-db-node1-vm")

    assert keeper.inputs["vmId"] == 230
    attached = machine.inputs["disks"][1]
    assert attached["interface"] == "scsi1"
    assert attached["pathInDatastore"] == "230/vm-230-disk-0.qcow2"
    assert (attached["datastoreId"], attached["fileFormat"]) == ("hdd", "qcow2")
    assert keeper.name in machine.dependencies


def test_the_vm_that_keeps_a_disk_never_starts(testing):
    inputs = testing.named("machines-db-node1-data-keeper").inputs

    assert (inputs["started"], inputs["onBoot"]) == (False, False)
    assert inputs["disks"][0]["backup"] is False


def test_no_deletion_takes_a_disk_that_is_not_the_vm_s_own(testing):
    machines = testing.of_type(VM).values()

    assert {m.inputs["deleteUnreferencedDisksOnDestroy"] for m in machines} == {False}
    assert {m.inputs["purgeOnDestroy"] for m in machines} == {False}


def test_only_a_machine_with_a_data_disk_has_a_keeper(testing):
    assert {r.name for r in testing.resources if r.name.endswith("-keeper")} == {
        f"machines-db-node{i}-data-keeper" for i in (1, 2, 3)
    }
    assert len(testing.named("machines-k3s-node1-vm").inputs["disks"]) == 1


@pytest.mark.parametrize(("settings", "expected"), [(PRODUCTION, True), (TESTING, False)])
def test_only_production_protects_its_disks_and_keeps_what_is_removed(deploy, settings, expected):
    keeper = deploy(program(settings)).named("machines-db-node1-data-keeper")

    assert keeper.protected is expected
    assert keeper.retained is expected
    assert keeper.inputs["protection"] is expected


def test_production_protects_machines_that_are_members_of_something(production):
    assert {
        r.name for r in production.resources if r.name.endswith("-vm") and not r.protected
    } == set()


def test_a_machine_that_is_replaced_is_never_retained(production):
    """Its id would still be taken."""
    machines = production.of_type(VM)

    assert not any(m.retained for name, m in machines.items() if name.endswith("-vm"))


@pytest.mark.parametrize(("settings", "expected"), [(PROTECTED_DOCFAST, True), (DOCFAST, False)])
def test_hetzner_s_volumes_are_protected_likewise(deploy, settings, expected):
    volume = deploy(program(settings)).named("machines-db-1-data")

    assert volume.protected is expected
    assert volume.retained is expected
    assert volume.inputs["deleteProtection"] is expected


def test_a_volume_is_attached_and_mounted_by_nobody_but_the_deploy(docfast):
    attachment = docfast.named("machines-db-1-data-attached")

    assert attachment.inputs["automount"] is False
    assert attachment.dependencies == {"machines-db-1-data", "machines-db-1-server"}
