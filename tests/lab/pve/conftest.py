"""An emulated Proxmox served as the provider meets it, and a client that sees what it sees."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from fastapi import FastAPI

from lab.pve.api import api
from lab.pve.cluster import Cluster
from lab.serve import Authority, serving

TOKEN = "pulumi@pve!lab=canary"
IMAGE = "local:import/debian-13.qcow2"
TASK_SECONDS = 60


@dataclass
class Answer:
    """What came back for a call."""

    status: int
    reason: str
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        assert self.status == 200, (self.reason, self.body)
        return self.body["data"]


@dataclass
class Proxmox:
    """A served cluster, and calls to it over the wire."""

    cluster: Cluster
    app: FastAPI
    endpoint: str
    certificate: Path

    def call(self, method: str, path: str, *, token: str = TOKEN, **form: object) -> Answer:
        """Make one call over a connection of its own, its parameters as a form."""
        url = urlsplit(self.endpoint)
        trust = ssl.create_default_context(cafile=self.certificate)
        wire = http.client.HTTPSConnection(url.hostname, url.port, context=trust, timeout=60)
        words = urlencode({name.replace("_", "-"): value for name, value in form.items()})
        target = f"/api2/json{path}"
        if method in ("GET", "DELETE") and words:
            target, words = f"{target}?{words}", ""
        headers = {"Authorization": f"PVEAPIToken={token}"}
        try:
            wire.request(method, target, body=words or None, headers=headers)
            response = wire.getresponse()
            return Answer(response.status, response.reason, json.loads(response.read()))
        finally:
            wire.close()

    def get(self, path: str, **query: object) -> Any:
        """Return the data of a question."""
        return self.call("GET", path, **query).data

    def ended(self, upid: str) -> str:
        """Return how a task ended, when it has."""
        deadline = time.monotonic() + TASK_SECONDS
        while True:
            status = self.get(f"/nodes/pve/tasks/{quote(upid, safe='')}/status")
            if status["status"] == "stopped":
                return status["exitstatus"]
            assert time.monotonic() < deadline, "the task did not end"
            time.sleep(0.01)

    def run(self, method: str, path: str, **form: object) -> str:
        """Begin a task, and return how it ended."""
        return self.ended(self.call(method, path, **form).data)

    def vm(self, vm_id: int, action: str = "", method: str = "POST", **form: object) -> str:
        """Run a task on a VM."""
        return self.run(method, f"/nodes/pve/qemu/{vm_id}{action}", **form)

    def create(self, vm_id: int, **config: object) -> str:
        """Make a VM."""
        return self.run("POST", "/nodes/pve/qemu", vmid=vm_id, **config)

    def status(self, vm_id: int) -> dict[str, Any]:
        """Return what a VM is doing."""
        return self.get(f"/nodes/pve/qemu/{vm_id}/status/current")

    def download(self) -> str:
        """Have the image that VMs are imported from."""
        return self.run(
            "POST",
            "/nodes/pve/storage/local/download-url",
            content="import",
            filename=IMAGE.rpartition("/")[2],
            url="https://example.org/debian-13.qcow2",
        )


@contextmanager
def served(cluster: Cluster, folder: Path) -> Iterator[Proxmox]:
    """Serve a cluster on loopback."""
    app = api(cluster, TOKEN)
    authority = Authority(folder)
    with serving(app, "proxmox", authority) as where:
        yield Proxmox(cluster, app, where.endpoint, authority.certificate)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Path:
    """A folder with the certificates of all tests, which are issued once."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def proxmox(certificates) -> Iterator[Proxmox]:
    """A cluster whose VMs are records, with an image."""
    with served(Cluster(lock_seconds=0.2), certificates) as made:
        assert made.download() == "OK"
        yield made
