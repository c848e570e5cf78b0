"""Every call that the program, the provider and our own code make is one that Proxmox publishes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from components.machines import snapshot
from components.machines.proxmox_snapshots import ProxmoxSnapshots
from components.proxmox_api import ProxmoxApi
from lab.on_records import running

from .published import Description

pytestmark = pytest.mark.engine

# The package guesses patterns for formats that Proxmox describes by name alone.
STRICTER_THAN_PROXMOX = (
    "/nodes/{node}/qemu/{vmid}/snapshot: snapname: ",  # pve-configid, which has hyphens
    "ide3: file: ",  # pve-volume-id-or-qm-path, which may be none or cdrom
)
UP = ("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def description():
    return Description.obtain()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every call of a stack's life, with its parameters."""
    calls, guard = [], threading.Lock()

    def record(call, parameters):
        with guard:
            calls.append((*call.split(" ", 1), parameters))

    with running("testing", tmp_path_factory.mktemp("lab")) as lab:
        lab.proxmox.state.on_call = record
        lab.pulumi(*UP)
        machines = lab.section("machines")
        machines["db-node1"]["proxmox"] |= {"vm_id": 229, "cores": 3}
        machines["k3s-node1"]["proxmox"] |= {"disk_gib": 120}
        machines["k3s-node2"]["proxmox"] |= {"memory_gib": 8}
        lab.configure({"machines": machines})
        lab.pulumi(*UP)
        settings, token = lab.section("proxmox"), lab.credentials.proxmox_api_token
        with ProxmoxApi(
            settings["endpoint"], token=token, fingerprint=settings["fingerprint"]
        ) as asked:
            client, vms = ProxmoxSnapshots(asked), [snapshot.Vm(node="pve", vm_id=210)]
            at = datetime(2026, 1, 1, tzinfo=UTC)
            name = snapshot.create(client, vms, reason="test", at=at, description="a test")
            snapshot.rollback(client, vms, name)
            snapshot.delete(client, vms, name)
            asked.wait_until_idle()
        lab.pulumi("destroy", "--yes", "--skip-preview")
    return calls


def test_every_call_is_published_with_all_its_parameters(made, description):
    assert {method for method, *_ in made} == {"GET", "POST", "PUT", "DELETE"}
    assert len({path for _, path, _ in made}) > 50

    faults = {
        fault
        for call in made
        for fault in description.faults(*call)
        if not any(word in fault for word in STRICTER_THAN_PROXMOX)
    }

    assert not faults, "\n".join(sorted(faults))


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (("POST", "/nodes/pve/qemu/210/status/explode", {}), "no such call"),
        (("PATCH", "/nodes/pve/qemu/210/config", {}), "no such call"),
        (("PUT", "/nodes/pve/qemu/210/resize", {"disk": "scsi0"}), "size: missing"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "colour": "blue"}), "colour: unknown"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "cores": "many"}), "cores: Input"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "cores": "0"}), "cores: Input"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "ostype": "vms"}), "ostype: Input"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "scsi0": "hdd:5,colour=blue"}), "colour"),
        (("POST", "/nodes/pve/qemu", {"vmid": "210", "scsi0": "hdd:5,ssd=often"}), "ssd: Input"),
        (("DELETE", "/nodes/pve/qemu/210", {"purge": "1", "colour": "blue"}), "colour: unknown"),
    ],
)
def test_a_call_that_is_not_as_published_is_found(description, call, fault):
    assert len(found := description.faults(*call)) == 1
    assert fault in found[0]
