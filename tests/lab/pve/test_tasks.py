"""Tasks run beside the call, one for each VM at a time, and say how they ended."""

from __future__ import annotations

import threading
from urllib.parse import quote

import pytest

from components import proxmox_api
from components.https import ApiError
from components.proxmox_api import ProxmoxApi
from lab.pve.cluster import Cluster
from lab.pve.hardware import NoHardware
from lab.serve import fingerprint

from .conftest import TOKEN, served


class Slow(NoHardware):
    """VMs that take as long to start as a test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.starting, self.go_on = threading.Event(), threading.Event()

    def start(self, vm, volumes, log):
        self.starting.set()
        assert self.go_on.wait(30)
        super().start(vm, volumes, log)


@pytest.fixture
def slow(certificates):
    """A cluster whose VM 210 is starting."""
    hardware = Slow()
    with served(Cluster(hardware=hardware, lock_seconds=0.1), certificates) as made:
        made.create(210, name="k3s-node1")
        made.upid = made.call("POST", "/nodes/pve/qemu/210/status/start").data
        assert hardware.starting.wait(30)
        yield made
        hardware.go_on.set()


def task(proxmox, upid, part="status"):
    return proxmox.get(f"/nodes/pve/tasks/{quote(upid, safe='')}/{part}")


def test_a_task_is_running_until_it_is_done_and_keeps_its_log(slow):
    running = task(slow, slow.upid)
    assert (running["status"], running["type"], running["id"]) == ("running", "qmstart", "210")
    assert "exitstatus" not in running
    assert slow.status(210)["status"] == "stopped"

    slow.cluster.hardware.go_on.set()

    assert slow.ended(slow.upid) == "OK"
    lines = [line["t"] for line in task(slow, slow.upid, "log")]
    assert lines == ["STAND-IN: VM 210 is a record, nothing boots", "TASK OK"]


def test_a_second_operation_on_a_vm_gets_the_words_of_the_lock(slow):
    words = "can't lock file '/var/lock/qemu-server/lock-210.conf' - got timeout"

    assert slow.vm(210, "/status/stop") == words
    changed = slow.call("PUT", "/nodes/pve/qemu/210/config", cores=2)
    assert (changed.status, changed.reason) == (500, words)


def test_another_vm_is_not_kept_waiting(slow):
    slow.create(211, name="k3s-node2")

    assert slow.vm(211, "/resize", "PUT", disk="scsi0", size="9G") == "disk 'scsi0' does not exist"


def test_a_vm_that_is_being_made_is_locked(proxmox, monkeypatch):
    making, go_on = threading.Event(), threading.Event()

    def allocate(*_):
        making.set()
        assert go_on.wait(30)

    monkeypatch.setattr(proxmox.cluster.hardware, "allocate", allocate)
    upid = proxmox.call("POST", "/nodes/pve/qemu", vmid=230, scsi0="hdd:5").data
    assert making.wait(30)

    assert proxmox.status(230)["lock"] == "create"
    assert proxmox.vm(230, "/status/start") == "VM is locked (create)"
    go_on.set()
    assert proxmox.ended(upid) == "OK"
    assert "lock" not in proxmox.status(230)


def test_a_task_of_a_process_that_is_gone_was_cut_off(proxmox):
    earlier = "UPID:pve:00000001:00000001:00000001:qmstart:210:root@pam:"

    assert task(proxmox, earlier)["exitstatus"] == "unexpected status"


@pytest.fixture
def program(slow):
    """The program's own connection to the cluster whose VM 210 is starting."""
    known = fingerprint(slow.certificate.with_name("proxmox.pem"))
    with ProxmoxApi(slow.endpoint, token=TOKEN, fingerprint=known) as connected:
        yield connected


def test_the_program_waits_until_what_its_token_began_has_ended(slow, program, monkeypatch):
    monkeypatch.setattr(proxmox_api, "TASK_SECONDS", 0)
    with pytest.raises(ApiError, match=f"still running after 0 s: {slow.upid}"):
        program.wait_until_idle()
    monkeypatch.undo()

    threading.Timer(0.2, slow.cluster.hardware.go_on.set).start()
    program.wait_until_idle()

    assert slow.status(210)["status"] == "running"


def test_the_program_does_not_wait_for_what_somebody_else_began(slow, program, monkeypatch):
    monkeypatch.setattr(program, "_token_id", "somebody@pve!else")

    program.wait_until_idle()

    assert slow.status(210)["status"] == "stopped"


def test_what_is_no_task_is_a_wrong_parameter(proxmox):
    assert proxmox.call("GET", "/nodes/pve/tasks/210/status").status == 400


def test_tasks_take_longer_if_told(proxmox):
    proxmox.cluster.tasks.delay_seconds = 0.3

    upid = proxmox.call("POST", "/nodes/pve/qemu", vmid=210).data

    assert task(proxmox, upid)["status"] == "running"
    assert proxmox.ended(upid) == "OK"
