"""A cluster of the lab for tests: machines of the stack with the stand-in for K3s on them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from lab.kubernetes import PLAIN_FOLDERS, Distribution, let_the_kernel_watch, machine_options
from lab.machines import BaseImage, Machine
from tests.lab.machines.conftest import MACHINES, Lab, a_lab

SERVERS = [name for name, machine in MACHINES.items() if machine["role"] == "k3s-server"]
TOKEN = "a-token-of-these-tests-only"
RELEASE = "/opt/k3s"


@dataclass
class Cluster:
    """Machines with K3s, and how tests talk to them."""

    lab: Lab
    release: Distribution
    took: dict[str, float] = field(default_factory=dict)

    def machine(self, name: str) -> Machine:
        """Have a machine up that K3s can be installed on."""
        let_the_kernel_watch()
        machine = self.lab.machine(
            name,
            root_gib=8,
            plain_folders=PLAIN_FOLDERS,
            nspawn_options=(*machine_options(), f"--bind-ro={self.release.folder}:{RELEASE}"),
        )
        machine.boot()
        return machine

    def install(self, name: str, command: str, **config: object) -> Machine:
        """Install K3s with a configuration, as a person would, and have it started."""
        machine = self.lab.machines.get(name) or self.machine(name)
        machine.wait_for_ssh(60)
        settings = json.dumps({"token": TOKEN, **config})
        machine.ssh(
            "mkdir -p /etc/rancher/k3s /var/lib/rancher/k3s/agent/images && "
            f"ln -sf {RELEASE}/k3s-airgap-images-amd64.tar /var/lib/rancher/k3s/agent/images/ && "
            f"cat >/etc/rancher/k3s/config.yaml <<'END'\n{settings}\nEND\n"
            f"cp {RELEASE}/k3s /usr/local/bin/k3s && INSTALL_K3S_SKIP_DOWNLOAD=true "
            f"INSTALL_K3S_SKIP_START=true INSTALL_K3S_EXEC={command} sh {RELEASE}/install.sh && "
            "sync"  # what was just written is lost in a power cut otherwise
        )
        return machine

    def start(self, *names: str, unit: str = "k3s") -> float:
        """Start the service on machines at once and return how long it took to be up on all."""
        started = time.monotonic()
        with ThreadPoolExecutor() as pool:
            say = f"journalctl -u {unit} -n 300 -o cat --no-pager | grep -E '^[A-Z][a-z]|stand-in'"
            commands = [f"systemctl start {unit} || ({say} >&2; exit 1)"] * len(names)
            list(pool.map(Machine.ssh, [self.lab.machines[name] for name in names], commands))
        return time.monotonic() - started

    def kubectl(self, words: str, on: str = "") -> str:
        """Run kubectl on one of the machines."""
        return self.lab.machines[on or SERVERS[0]].ssh(f"k3s kubectl {words}")

    def apply(self, *manifests: object, on: str = "") -> None:
        """Apply manifests that are given as they are."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.kubectl(f"apply -f - <<'END'\n{text}\nEND", on)


def until(so: Callable[[], bool], seconds: float, what: str) -> float:
    """Return how long it took for something to be so."""
    started = time.monotonic()
    while True:
        try:
            if so():
                return time.monotonic() - started
            last = "not so"
        except Exception as error:  # noqa: BLE001 — said below, if it stays
            last = str(error)
        if time.monotonic() - started > seconds:
            pytest.fail(f"{what}: not after {seconds:g} s: {last}")
        time.sleep(0.3)


@pytest.fixture(scope="session")
def release() -> Distribution:
    made = Distribution()
    made.obtain()
    return made


@pytest.fixture(scope="module")
def cluster(release) -> Iterator[Cluster]:
    with a_lab(BaseImage().obtain()) as lab:
        made = Cluster(lab, release)
        yield made
        logging.getLogger(__name__).info("measured, in seconds: %s", made.took)
