"""An edge, connectors and an origin for tests, all on loopback."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from lab.clouds import Cloud
from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID
from lab.clouds.tunnels import tunnel_token
from tests.engine.conftest import wait_until
from tests.pulumi_pyinfra.sshd import free_port
from toolchain.cache import Cache

from .project import DOMAIN

TOOLS = Cache.of_this_user().root / "lab"
HOST = f"app.{DOMAIN}"
A, AAAA = 1, 28
URL = f"https://{HOST}"


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade"):
            self._echo()
            return
        length = int(self.headers.get("Content-Length") or 0)
        told = {
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _echo(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        self.close_connection = True
        while line := self.rfile.readline():
            self.wfile.write(line)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def an_origin() -> Iterator[str]:
    """Serve an origin, and return its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Answer:
    """What curl got."""

    status: int
    body: str
    location: str


@dataclass
class Edge:
    """A running edge with a tunnel, whose records a test changes as it likes."""

    flare: Cloud
    folder: Path
    port: int
    running: ExitStack
    tunnel: str
    connectors: list[Connector] = field(default_factory=list)

    def curl(self, url: str, *arguments: str) -> Answer:
        """Ask as a visitor would; no name is looked up, everything goes to the edge."""
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "20",
             "--cacert", self.folder / "ca.pem", "--connect-to", f"::127.0.0.1:{self.port}",
             "--write-out", "\n%{http_code} %{redirect_url}", *arguments, url],
            text=True, capture_output=True, check=True,
        )  # fmt: skip
        body, _, last = done.stdout.rpartition("\n")
        status, _, location = last.partition(" ")
        return Answer(int(status), body, location)

    def route(self, *ingresses: dict[str, Any], **config: Any) -> None:
        """Say where the tunnel leads."""
        inputs = {"accountId": ACCOUNT_ID, "tunnelId": self.tunnel}
        rules = [*ingresses, {"service": "http_status:404"}]
        inputs["config"] = {"ingresses": rules} | config
        self.flare.create("ZeroTrustTunnelCloudflaredConfig", inputs)

    def look_up(self, name: str, kind: int = A) -> tuple[int, list[str]]:
        """Return what DNS says of a name: how it went, and the addresses."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        asked = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as visitor:
            visitor.settimeout(5)
            visitor.sendto(asked, ("127.0.0.1", self.port))
            said = visitor.recv(512)
        number, flags, _, answers = struct.unpack(">4H", said[:8])
        assert (number, said[12 : len(asked)]) == (7, asked[12:])
        # Each answer of this edge ends with an address of four bytes, after twelve of its header.
        records = [said[len(asked) + 16 * n :][12:16] for n in range(answers)]
        return flags & 0xF, [socket.inet_ntoa(record) for record in records]

    def connect(self, *arguments: str) -> Connector:
        """Start a connector and see it connected."""
        number = len(self.connectors)
        token = self.folder / f"token-{number}"
        token.touch(mode=0o600)
        token.write_text(tunnel_token(self.flare.read("ZeroTrustTunnelCloudflared", self.tunnel)))
        connector = Connector(self, token, arguments)
        self.running.callback(connector.end)
        self.connectors.append(connector)
        wait_until(lambda: connector.ready()[0] == 200)
        return connector


class Connector:
    """A cloudflared."""

    def __init__(self, edge: Edge, token: Path, arguments: tuple[str, ...]) -> None:
        self.metrics = f"127.0.0.1:{free_port()}"
        self.log = token.with_suffix(".log")
        variables = {
            "LAB_EDGE": f"127.0.0.1:{edge.port}",
            "SSL_CERT_FILE": str(edge.folder / "ca.pem"),
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [TOOLS / "cloudflared", "tunnel", "--no-autoupdate", "--metrics", self.metrics,
                 "run", "--token-file", token, *arguments],
                env=os.environ | variables, stderr=log,
            )  # fmt: skip

    def page(self, name: str) -> tuple[int, str]:
        """Return one of its own pages."""
        done = subprocess.run(
            ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}",
             f"http://{self.metrics}/{name}"],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def ready(self) -> tuple[int, str]:
        return self.page("ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)


@contextmanager
def an_edge(flare: Cloud, folder: Path) -> Iterator[Edge]:
    """Run an edge before a tunnel that HOST's record points at."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf = authority.issue_cert(DOMAIN, f"*.{DOMAIN}", "127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "edge.pem"))
    inputs = {"accountId": ACCOUNT_ID, "name": "testing", "configSrc": "cloudflare"}
    tunnel = flare.create("ZeroTrustTunnelCloudflared", inputs).id
    record = {"zoneId": ZONE_ID, "name": HOST, "type": "CNAME", "ttl": 1, "proxied": True}
    flare.create("DnsRecord", record | {"content": f"{tunnel}.cfargotunnel.com"})
    port = free_port()
    with ExitStack() as running, (folder / "edge.log").open("w") as log:
        process = subprocess.Popen(
            [TOOLS / "lab-edge", "--listen", f"127.0.0.1:{port}", "--names", f"127.0.0.1:{port}",
             "--certificate", folder / "edge.pem", "--records", folder / "cloudflare.json",
             "--key", folder / "signing.pem"],
            stderr=log,
        )  # fmt: skip

        def end() -> None:
            process.terminate()
            process.wait(15)

        running.callback(end)
        wait_until(lambda: "it listens" in (folder / "edge.log").read_text())
        yield Edge(flare, folder, port, running, tunnel)
