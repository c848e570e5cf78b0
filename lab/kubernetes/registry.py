"""A registry of the lab's own: the real one (distribution), over TLS, for pods' images."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.machines import Network
from lab.machines.cgroup import Cgroup
from lab.serve import Authority

from .images import Image, Layout, full_name

HTTPS = 443
STARTS_WITHIN_SECONDS = 20
# GROUPS LOG COMMAND...: be in the lab's cgroups, so that its clean-up ends it, and outlive us.
ENTER = """\
for group in $1; do echo $$ >"$group/cgroup.procs" || exit; done
exec >>"$2" 2>&1
shift 2
exec setsid --fork "$@"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """Serves images at an address of the lab's network."""

    network: Network
    address: IPv4Address
    program: Path
    """The program ``registry`` (`python3 -m toolchain --cluster`)."""
    authority: Authority
    """By whose certificate nodes know it."""
    port: int = HTTPS

    @property
    def folder(self) -> Path:
        """Return where its images and its certificates are."""
        return self.network.place.folder / "registry"

    @property
    def endpoint(self) -> str:
        """Return its address as registries.yaml has it."""
        port = "" if self.port == HTTPS else f":{self.port}"
        return f"https://{self.address}{port}"

    @property
    def answers(self) -> bool:
        """Tell whether it serves."""
        with suppress(OSError):
            self._ask("GET", "/v2/")
            return True
        return False

    def start(self) -> None:
        """Serve from now on, until the lab is cleaned up."""
        if self.answers:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = str(self.authority.issue("registry", str(self.address)))
        config = self.folder / "config.yml"
        config.write_text(
            json.dumps(
                {
                    "version": 0.1,
                    "log": {"level": "warn", "accesslog": {"disabled": True}},
                    "storage": {"filesystem": {"rootdirectory": str(self.folder / "images")}},
                    "http": {
                        "addr": f"{self.address}:{self.port}",
                        "tls": {"certificate": key, "key": key},
                    },
                }
            )
        )
        cgroup = Cgroup(f"{self.network.place.cgroup}/_registry")
        cgroup.create()
        groups = " ".join(map(str, cgroup.folders))
        command = self.network.command(str(self.program), "serve", str(config))
        log = str(self.folder / "log")
        subprocess.run(["sh", "-c", ENTER, "enter", groups, log, *command], check=True)
        self._wait()

    def push(self, image: Image) -> str:
        """Store an image and return its name by digest, which no later push can change."""
        layout = Layout()
        digest = layout.add(image)
        # A mirror is asked for what follows the registry's own name.
        name, _, tag = full_name(image.name).partition("/")[2].rpartition(":")
        if self._has(f"/v2/{name}/manifests/{digest}"):
            return f"{name}@{digest}"
        manifest = layout.blobs.pop(digest)
        for blob, content in layout.blobs.items():
            opened = self._ask("POST", f"/v2/{name}/blobs/uploads/")
            place = opened["location"].removeprefix(self.endpoint)
            joint = "&" if "?" in place else "?"
            self._ask("PUT", f"{place}{joint}digest={blob}", content, "application/octet-stream")
        kind = "application/vnd.oci.image.manifest.v1+json"
        self._ask("PUT", f"/v2/{name}/manifests/{tag}", manifest, kind)
        return f"{name}@{digest}"

    def _has(self, path: str) -> bool:
        try:
            self._ask("HEAD", path)
        except LookupError:
            return False
        return True

    def _wait(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                self._ask("GET", "/v2/")
            except OSError as error:
                if time.monotonic() > deadline:
                    said = (self.folder / "log").read_text()[-500:]
                    raise RuntimeError(f"the registry did not start: {error}: {said}") from error
                time.sleep(0.1)
            else:
                return

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = ""
    ) -> Mapping[str, str]:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        plain = self.network.connect(self.address, self.port, 10)
        connection = http.client.HTTPSConnection(str(self.address), self.port)
        connection.sock = context.wrap_socket(plain, server_hostname=str(self.address))
        try:
            headers = {"Content-Type": kind} if kind else {}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status == http.client.NOT_FOUND:
                raise LookupError(f"registry: {path}: not there")
            if answer.status >= http.client.BAD_REQUEST:
                raise RuntimeError(f"registry: {method} {path}: {answer.status}: {said!r}")
            return {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
