"""The API of a cluster, as far as tests play its users and its kubelets."""

from __future__ import annotations

import json
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import yaml

MERGE = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API server on loopback and the token of an administrator."""

    port: int
    certificate: Path
    """Of the authority that signed the server's."""
    token: str = field(repr=False)

    @property
    def kubeconfig(self) -> str:
        """Return what leads Pulumi to the cluster."""
        authority = b64encode(self.certificate.read_bytes()).decode()
        server = f"https://127.0.0.1:{self.port}"
        cluster = {"server": server, "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }
        return yaml.safe_dump(document)

    def call(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        """Return the answer as JSON, or the plain word of a health check as ``text``."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        try:
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(answer.status, text)
        return json.loads(text) if text.startswith("{") else {"text": text}

    def get(self, path: str) -> dict[str, Any]:
        return self.call("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        return self.get(path)["items"]

    def has(self, path: str) -> bool:
        try:
            self.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def edit(self, path: str, change: object) -> None:
        """Change an object as `kubectl edit` does, under that name."""
        self.call("PATCH", f"{path}?fieldManager=kubectl-edit", change, MERGE)

    def set_status(self, path: str, status: object) -> None:
        """Set an object's status, as a controller does."""
        self.call("PATCH", f"{path}/status?fieldManager=kubelet", {"status": status}, MERGE)
