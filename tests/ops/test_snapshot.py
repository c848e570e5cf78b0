"""``ops.snapshot`` on the lab's Proxmox: made, listed, gone back to, deleted."""

from __future__ import annotations

import pytest

from lab.on_records import running
from ops import snapshot

pytestmark = pytest.mark.engine


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """Run the command on a lab with two of the stack's machines; return what it printed."""
    with running("testing", tmp_path) as lab:
        for name, value in lab.variables.items():
            monkeypatch.setenv(name, value)
        for vm_id, name in ((210, "k3s-node1"), (220, "db-node1")):
            lab.cluster.create("pve", {"vmid": str(vm_id), "name": name, "cores": "4"})

        def run(*arguments: str) -> str:
            snapshot.main(["testing", *arguments], project=lab.folder)
            return capsys.readouterr().out

        run.cluster = lab.cluster
        yield run


def test_a_machine_goes_back_to_what_it_was(ask):
    name = ask("create", "upgrade", "k3s-node1").split()[0]
    ask.cluster.vms[210].config["cores"] = "8"

    ask("rollback", name, "k3s-node1")

    assert ask.cluster.vms[210].config["cores"] == "4"
    assert name in ask("list", "", "k3s-node1")
    ask("delete", name, "k3s-node1")
    assert not ask("list", "", "k3s-node1").strip()


def test_all_are_made_or_none(ask):
    with pytest.raises(SystemExit, match="221"):
        ask("create", "upgrade", "db-node1", "db-node2")

    assert not ask.cluster.vms[220].snapshots


def test_a_name_that_no_machine_has_is_refused_before_anything_is_asked(ask):
    with pytest.raises(SystemExit, match="no machine db-node9; there are k3s-node1"):
        ask("create", "upgrade", "db-node9")


def test_a_snapshot_that_is_not_there_is_told(ask):
    with pytest.raises(SystemExit, match="no snapshot pulumi-x-20260101000000 of VM 210"):
        ask("rollback", "pulumi-x-20260101000000", "k3s-node1")
