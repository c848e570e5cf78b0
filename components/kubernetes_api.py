"""The Kubernetes API for the few questions that are not the provider's to ask."""

from __future__ import annotations

import json
import os
import ssl
from base64 import b64decode
from collections.abc import Sequence
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import yaml

SECONDS = 20
_REFUSED = 400


class KubernetesApi:
    """One cluster, as a kubeconfig with everything in it opens it."""

    def __init__(self, kubeconfig: str) -> None:
        told = yaml.safe_load(kubeconfig)
        cluster, user = told["clusters"][0]["cluster"], told["users"][0]["user"]
        self._server = str(urlsplit(cluster["server"]).netloc)
        authority = b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=authority)
        pems = (b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        _show(self._context, b"\n".join(pems))

    def get(self, path: str) -> dict[str, Any]:
        """Return an object, or a list of them."""
        return self._ask("GET", path)

    def patch(self, path: str, change: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Change an object as a JSON patch says."""
        return self._ask("PATCH", path, json.dumps(change), "application/json-patch+json")

    def _ask(
        self, method: str, path: str, body: str | None = None, kind: str = ""
    ) -> dict[str, Any]:
        connection = HTTPSConnection(self._server, timeout=SECONDS, context=self._context)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            said: dict[str, Any] = json.loads(answer.read())
        except (HTTPException, ValueError) as error:
            raise OSError(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status >= _REFUSED:
            raise LookupError(f"{method} {path}: {answer.status}: {said.get('message')}")
        return said


def _show(context: ssl.SSLContext, pem: bytes) -> None:
    """Have a client show its certificate; ssl takes files alone, and this one is on no disk."""
    file = os.memfd_create("client")
    try:
        os.write(file, pem)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
