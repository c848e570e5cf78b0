"""The real program on the real engine and provider, and what it made: machines.

One test after the other; ``--durations=0`` says how long each step takes.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lab.machines import BaseImage, Machine, left
from lab.on_records import running
from lab.pve.cluster import Cluster
from lab.pve.machines import Machines
from ops.stack_files import settings_of
from tests.engine.conftest import planned
from tests.lab.machines.conftest import DATA, SSH_SECONDS, a_lab

pytestmark = [pytest.mark.engine, pytest.mark.machines]
SETTINGS = settings_of("testing")
ALL = sorted(SETTINGS.machines)
UP = ("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A lab whose Proxmox has machines, with nothing made yet."""
    image = BaseImage().obtain()
    with a_lab(image) as lab:
        cluster = Cluster.load(
            lab.place.folder / "proxmox.json", Machines(place=lab.place, image=image)
        )
        home = tmp_path_factory.mktemp("lab")
        with running("testing", home, cluster=cluster) as project:
            yield SimpleNamespace(lab=lab, cluster=cluster, project=project, home=home)


def machine(made, name: str) -> Machine:
    found = Machine(made.lab.place, name)
    found.wait_for_ssh(SSH_SECONDS)
    return found


def key_of_the_state(made):
    """Return a file with the private key that the program made."""
    exported = json.loads(made.project.pulumi("stack", "export", "--show-secrets").stdout)
    key = next(
        resource["outputs"]["privateKeyOpenssh"]
        for resource in exported["deployment"]["resources"]
        if resource["urn"].endswith("::machines-key")
    )
    file = made.home / "key"
    file.touch(mode=0o600)
    file.write_text(json.loads(key["plaintext"]))
    return file


def test_a_first_up_makes_every_machine_of_the_stack(made):
    made.project.pulumi(*UP)

    assert sorted(vm.machine for vm in made.cluster.all_vms() if vm.running) == ALL


def test_every_machine_answers_with_its_name_to_the_key_of_the_state(made):
    key = key_of_the_state(made)

    for name in ALL:
        found = machine(made, name)
        words = [
            "ssh", "-F", "none", "-i", str(key), "-oBatchMode=yes", "-oIdentitiesOnly=yes",
            f"-oUserKnownHostsFile={found.folder / 'known_hosts'}", "-oStrictHostKeyChecking=yes",
            f"{SETTINGS.access.user}@{SETTINGS.machines[name].address}",
            "hostname && cloud-init status --wait && sudo id --user",
        ]  # fmt: skip
        assert found.network.run(*words).split() == [name, "status:", "done", "0"]


def test_a_second_up_changes_nothing(made):
    made.project.pulumi(*UP, "--expect-no-changes")


def test_a_refresh_finds_nothing_changed(made):
    made.project.pulumi("refresh", "--yes", "--expect-no-changes")


def test_a_replaced_machine_keeps_what_was_on_its_data_disk(made):
    first = machine(made, "db-node1")
    first.ssh(f"mkfs.ext4 -q {DATA} && mkdir /data && mount {DATA} /data")
    first.ssh("echo acknowledged >/data/rows && sync && touch /srv/gone")
    identity = first.ssh("cat /etc/machine-id")
    settings = made.project.section("machines")["db-node1"]
    settings["proxmox"]["vm_id"] = 229
    made.project.configure({"machines": {"db-node1": settings}})

    made.project.pulumi(*UP)

    second = machine(made, "db-node1")
    assert second.ssh("cat /etc/machine-id") != identity
    assert second.ssh(f"mkdir /data && mount {DATA} /data && cat /data/rows") == "acknowledged\n"
    assert "gone" not in second.ssh("ls /srv")
    assert planned(made.project) == {}


def test_a_machine_that_died_is_found_by_a_refresh_and_started_by_the_next_up(made):
    machine(made, "k3s-node2").power_cut()

    found = made.project.pulumi("refresh", "--yes", "--expect-no-changes", check=False)
    made.project.pulumi(*UP)

    assert found.returncode != 0
    assert machine(made, "k3s-node2").ssh("hostname").strip() == "k3s-node2"


def test_destroy_leaves_nothing(made):
    made.project.pulumi("destroy", "--yes", "--skip-preview")

    assert not made.cluster.vms
    assert not made.cluster.volumes
    found = left(made.lab.place.lab_id)
    assert not found.processes
    assert not found.mounts
    assert not found.loop_devices
    assert not list((made.lab.place.folder / "machines").iterdir())
    assert not list((made.lab.place.folder / "volumes").iterdir())
