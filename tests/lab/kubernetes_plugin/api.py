"""The API of a cluster, as far as tests play its users and its kubelets."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PATCH = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API server and the token of an administrator."""

    endpoint: str
    certificate: Path
    token: str = field(repr=False)

    def call(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        """Return the answer as JSON; an error is an :class:`HTTPError`."""
        request = Request(
            self.endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urlopen(request, context=context, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else {"text": text.decode()}

    def get(self, path: str) -> dict[str, Any]:
        return self.call("GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        return self.get(path)["items"]

    def has(self, path: str) -> bool:
        try:
            self.get(path)
        except HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True

    def edit(self, path: str, change: object) -> None:
        """Change an object as `kubectl edit` does, under that name."""
        kind = MERGE if "/apis/metallb" in path else PATCH
        self.call("PATCH", f"{path}?fieldManager=kubectl-edit", change, kind)

    def set_status(self, path: str, status: object) -> None:
        """Set an object's status, as a controller does."""
        self.call("PATCH", f"{path}/status?fieldManager=kubelet", {"status": status}, MERGE)
