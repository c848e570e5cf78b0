"""What the real engine must refuse, and that nothing was touched when it did."""

from __future__ import annotations

import json
import threading

import pytest

from lab.on_records import running
from lab.repairing import half_written
from ops.stack_files import settings_of
from tests.engine.conftest import by_type, planned, wait_until

pytestmark = pytest.mark.engine


def refused(lab, *arguments: str) -> str:
    """Run the engine, which must refuse, and return what it said."""
    done = lab.pulumi(*arguments, check=False)

    assert done.returncode != 0
    return done.stdout + done.stderr


def test_a_host_that_is_not_the_stacks_is_refused_by_name(fresh):
    fresh.configure({"proxmox": {"fingerprint": ":".join(["AB"] * 32)}})

    told = refused(fresh, "up", "--yes", "--skip-preview")

    assert "stack testing is not allowed to go on; nothing was touched" in told
    assert "presents the certificate" in told
    assert "Traceback" not in told
    assert not fresh.calls


def test_the_other_environments_stack_file_is_refused(fresh):
    production = settings_of("production")
    machines = {
        name: machine.model_dump(mode="json", exclude_none=True)
        for name, machine in production.machines.items()
    }
    fresh.replace("machines", machines)

    told = refused(fresh, "up", "--yes", "--skip-preview")

    assert "production" in told
    assert not fresh.cluster.vms


def test_every_fault_of_a_stack_file_is_told_at_once(fresh):
    fresh.configure(
        {"network": {"gateway": "10.9.9.9"}, "kubernetes": {"version": "latest", "colour": "blue"}}
    )

    told = refused(fresh, "preview")

    for key in ("network.gateway", "kubernetes.version", "kubernetes.colour"):
        assert f"coldstorage:{key}" in told
    assert "Traceback" not in told
    assert not fresh.calls


def test_somebody_elses_vm_is_never_taken_over(fresh):
    fresh.cluster.create("pve", {"vmid": "211", "name": "accounting", "tags": "theirs"})

    told = refused(fresh, "preview")

    assert 'VM id 211 is taken by "accounting" on pve' in told
    assert fresh.cluster.vms[211].config["name"] == "accounting"


def test_a_machine_left_by_a_killed_run_is_found_by_the_next(fresh):
    plan = json.loads(fresh.pulumi("preview", "--json").stdout)
    names = {step["urn"].rsplit("::", 1)[1] for step in plan["steps"]}
    secrets = {name for name in names if name.startswith("secrets-")}
    assert len(secrets) > 10
    go_on = threading.Event()
    fresh.before_each_change(lambda path: path.endswith("/qemu") and go_on.wait(60))
    with fresh.started("up", "--yes", "--skip-preview"):
        wait_until(lambda: waits_for_nothing_but_machines(fresh, secrets), 60)
    go_on.set()
    wait_until(lambda: fresh.cluster.vms)
    half_written(fresh)
    fresh.pulumi("cancel", "--yes")  # the lock of the engine that was killed

    told = refused(fresh, "up", "--yes", "--skip-preview")

    assert "left by a run that was interrupted" in told
    assert "pulumi import" in told


def waits_for_nothing_but_machines(lab, secrets) -> bool:
    """Return whether the state on disk says that all is made but VMs, which are on their way."""
    try:
        deployment = json.loads(lab.checkpoint.read_text())["checkpoint"]["latest"]
    except (OSError, ValueError):  # not there yet, or being written
        return False
    made = {resource["urn"].rsplit("::", 1)[1] for resource in deployment.get("resources", [])}
    under_way = deployment.get("pending_operations", [])
    return (
        {"k3s-administrator", "machines-image-pve", *secrets} <= made
        and len(under_way) == 6
        and all(operation["resource"]["type"].endswith("VmLegacy") for operation in under_way)
    )


def test_production_refuses_to_delete_what_holds_data(tmp_path):
    with running("production", tmp_path) as lab:
        lab.pulumi("up", "--yes", "--skip-preview")

        told = refused(lab, "destroy", "--yes")

        assert "protected" in told
        assert planned(lab) == {}

        # Without the preview Pulumi takes away what it may; data and secrets it may not.
        refused(lab, "destroy", "--yes", "--skip-preview")

        assert {330, 331, 332} <= lab.cluster.vms.keys()
        assert by_type(lab)["random:index/randomPassword:RandomPassword"] >= 8
