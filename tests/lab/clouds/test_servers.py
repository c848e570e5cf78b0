"""Servers at the lab's Hetzner are machines: the project's own components make and use them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.clouds import Cloud, Records
from lab.clouds.hetzner import api_of, hetzner
from lab.clouds.hetzner_machines import HetznerMachines
from lab.machines import BaseImage, Place, clean_up, left
from lab.machines.host import HostError
from lab.serve import Authority, serving
from tests.engine.conftest import wait_until
from toolchain import engine

from .project import ROOT, TOKEN

pytestmark = [pytest.mark.engine, pytest.mark.machines]
PROGRAM = Path(__file__).parent / "servers"


@dataclass
class Stack:
    """A stack of Hetzner servers, and the lab that they are in."""

    folder: Path
    variables: dict[str, str]
    cloud: Cloud
    machines: HetznerMachines

    def pulumi(self, *arguments: str) -> str:
        return engine.pulumi(self.folder, self.variables, *arguments).stdout

    def outputs(self) -> dict[str, Any]:
        outputs: dict[str, Any] = json.loads(
            self.pulumi("stack", "output", "--json", "--show-secrets")
        )
        return outputs

    def inside(self, *command: str) -> str:
        """Run a command in the lab's network."""
        return self.machines.network.run(*command)

    def machine(self, name: str):
        (server,) = [s for s in self.cloud.records.of("Server") if s.outputs["name"] == name]
        return self.machines.machine(server)

    def page(self) -> str:
        try:
            return self.inside("curl", "-sS", "--max-time", "5", f"http://{self.balancer}/")
        except HostError:
            return ""

    @property
    def balancer(self) -> str:
        address: str = self.outputs()["balancer"]
        return address


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("hetzner")
    place = Place(f"h{os.getpid()}")
    cloud = hetzner(Records(folder / "hcloud.json"), project="docfast")
    machines = HetznerMachines(place, BaseImage().obtain())
    machines.of(cloud)
    authority = Authority(folder)
    try:
        with serving(api_of(cloud, TOKEN), "hetzner", authority) as served:
            yield a_stack(folder, f"{served.endpoint}/v1", authority, cloud, machines)
    finally:
        machines.stop()
        clean_up(place.lab_id)


def a_stack(folder, endpoint, authority, cloud, machines) -> Stack:
    project = folder / "project"
    shutil.copytree(PROGRAM, project)
    (project / "state").mkdir()
    wanted = {"endpoint": endpoint, "token": TOKEN, "machines": ["k3s-w1", "k3s-w2", "db-1"]}
    (project / "wanted.json").write_text(json.dumps(wanted))
    runtime = {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "servers", "runtime": runtime}))
    variables = engine.environment(
        PYTHONPATH=str(ROOT),
        PULUMI_BACKEND_URL=(project / "state").as_uri(),
        PULUMI_CONFIG_PASSPHRASE="test",
        SSL_CERT_FILE=str(authority.certificate),
    )
    stack = Stack(project, variables, cloud, machines)
    stack.pulumi("stack", "init", "test")
    return stack


@pytest.fixture(scope="module")
def up(stack) -> Stack:
    stack.pulumi("up", "--yes", "--skip-preview")
    for name in ("k3s-w1", "k3s-w2", "db-1"):
        stack.machine(name).wait_for_ssh(60)
    return stack


def test_a_second_up_and_a_refresh_change_nothing(up):
    up.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    up.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_stacks_own_key_opens_a_server_at_its_public_address(up, tmp_path):
    outputs = up.outputs()
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(outputs["key"])
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={tmp_path}/known")
    words = [word for option in options for word in ("-o", option)]
    who = f"{outputs['user']}@{outputs['k3s-w1']['host']}"

    told = up.inside("ssh", "-F", "none", "-i", str(key), *words, who, "hostname; sudo id -un")

    assert told.split() == ["k3s-w1", "root"]


def test_a_volume_is_a_disk_where_hetzner_has_it_and_outlives_the_server(up):
    device = up.outputs()["db-1"]["disk"]
    machine = up.machine("db-1")
    machine.ssh(
        f"mkfs.ext4 -q {device} && mount {device} /mnt && echo kept >/mnt/it && umount /mnt"
    )
    urn = next(
        r["urn"]
        for r in json.loads(up.pulumi("stack", "export"))["deployment"]["resources"]
        if r["urn"].endswith("machines-db-1-server")
    )

    up.pulumi("up", "--yes", "--skip-preview", "--target-replace", urn, "--target-dependents")

    again = up.machine("db-1")
    again.wait_for_ssh(60)
    assert again.ssh(f"mount {device} /mnt && cat /mnt/it").strip() == "kept"


def test_the_load_balancer_sends_to_the_servers_that_answer(up):
    for name in ("k3s-w1", "k3s-w2"):
        up.machine(name).ssh(
            f"mkdir -p /srv/www && echo {name} >/srv/www/index.html && systemd-run --unit=www "
            "python3 -m http.server --directory /srv/www 80"
        )
    seen: set[str] = set()

    def both() -> bool:
        seen.add(up.page().strip())
        return {"k3s-w1", "k3s-w2"} <= seen

    wait_until(both)
    up.machine("k3s-w1").ssh("systemctl stop www")
    wait_until(lambda: {up.page().strip() for _ in range(4)} == {"k3s-w2"})


def test_a_restarted_lab_brings_back_servers_and_load_balancers(up):
    up.machines.stop()
    up.machine("k3s-w1").power_cut()
    up.machine("db-1").delete()  # as if the lab had been killed before it was made

    up.machines.of(up.cloud)

    for name in ("k3s-w1", "db-1"):
        up.machine(name).wait_for_ssh(60)
    wait_until(lambda: up.page().strip() == "k3s-w2")
    device = up.outputs()["db-1"]["disk"]
    assert up.machine("db-1").ssh(f"mount {device} /mnt && cat /mnt/it").strip() == "kept"


def test_destroy_leaves_nothing(up):
    up.pulumi("destroy", "--yes", "--skip-preview")

    kinds = ("Server", "Volume", "LoadBalancer", "Network", "SshKey", "Firewall")
    assert not [record for kind in kinds for record in up.cloud.records.of(kind)]
    remains = left(up.machines.place.lab_id)
    assert not remains.processes
    assert not remains.loop_devices
    assert not list(up.machines.place.folder.glob("volumes/*"))
