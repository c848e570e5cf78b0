"""What can take a machine's power away, and proves that it is off: Proxmox VE, or Hetzner Cloud.

A machine is off if the platform says so after it was told to stop it. Everything else, no answer
above all, is a :class:`NotProvenError`, and then nothing may be handed over.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

PATIENCE = 2.0
PROOF_SECONDS = 8.0
LOOK_SECONDS = 0.1
_FIRST_ERROR = 400


class NotProvenError(Exception):
    """Nobody knows whether the machine is off; never carries a credential."""


class Hypervisor(Protocol):
    """Takes the power of machines that it knows by name."""

    def stop(self, name: str, /) -> None:
        """Take a machine's power away; one that is off already stays so."""

    def is_off(self, name: str, /) -> bool:
        """Tell whether a machine has no power."""


def power_off(hypervisor: Hypervisor, name: str) -> float:
    """Return, once a machine is proven to be off, how long that took.

    It is told to stop once: by a second time it might be well again. Whether that was answered is
    no matter, only whether the machine is off.
    """
    started, fault = time.monotonic(), ""
    try:
        hypervisor.stop(name)
    except NotProvenError as error:
        fault = f"; {error}"
    while not _is_off(hypervisor, name):
        if time.monotonic() - started > PROOF_SECONDS:
            raise NotProvenError(f"not seen off in {PROOF_SECONDS:g} s{fault}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - started


def _is_off(hypervisor: Hypervisor, name: str) -> bool:
    try:
        return hypervisor.is_off(name)
    except NotProvenError:
        return False


def of(told: Mapping[str, Any]) -> Hypervisor:
    """Return the one that the settings name."""
    return Hetzner(told) if told["kind"] == "hetzner" else Proxmox(told)


class Proxmox:
    """VMs by their node and number; the token may do nothing but this, to nothing but these."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._api = _Api(told, {"Authorization": f"PVEAPIToken={told['token']}"})
        self._paths = {
            name: f"/api2/json/nodes/{vm['node']}/qemu/{vm['vm_id']}/status"
            for name, vm in told["machines"].items()
        }

    def stop(self, name: str) -> None:
        """Stop a VM at once, without asking it; another task that holds it is overruled."""
        self._api.ask("POST", f"{self._paths[name]}/stop")

    def is_off(self, name: str) -> bool:
        """Tell whether its process has ended."""
        said = self._api.ask("GET", f"{self._paths[name]}/current")
        return bool(said["data"]["status"] == "stopped")


class Hetzner:
    """Servers by their number; a token is for a whole project, there is none for power alone."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._api = _Api(told, {"Authorization": f"Bearer {told['token']}"})
        self._prefix = urlsplit(told["endpoint"]).path.rstrip("/")
        self._servers = {name: server["server_id"] for name, server in told["machines"].items()}

    def stop(self, name: str) -> None:
        """Take a server's power away."""
        self._api.ask("POST", f"{self._prefix}/servers/{self._servers[name]}/actions/poweroff")

    def is_off(self, name: str) -> bool:
        """Tell whether it is off."""
        said = self._api.ask("GET", f"{self._prefix}/servers/{self._servers[name]}")
        return bool(said["server"]["status"] == "off")


class _Api:
    """A connection for each question: there are few, and a kept one may be dead when it counts."""

    def __init__(self, told: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self._where = urlsplit(told["endpoint"]).netloc
        self._fingerprint: str | None = told.get("fingerprint")
        self._headers = headers
        self._context = ssl.create_default_context(cafile=told.get("authority"))
        if self._fingerprint:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """Return what the platform answers."""
        connection = http.client.HTTPSConnection(
            self._where, timeout=PATIENCE, context=self._context
        )
        try:
            connection.connect()
            self._know(connection.sock)
            connection.request(method, path, headers=dict(self._headers))
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            if response.status >= _FIRST_ERROR:
                raise NotProvenError(f"{method} {path}: {response.status} {response.reason}")
            return dict(json.loads(text))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotProvenError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    def _know(self, sock: Any) -> None:  # noqa: ANN401 - http.client does not say of what kind
        """Refuse who does not have the pinned certificate, before a credential is sent."""
        if self._fingerprint:
            der = sock.getpeercert(binary_form=True) or b""
            found = hashlib.sha256(der).digest().hex(":").upper()
            if found != self._fingerprint:
                raise NotProvenError(f"{self._where} presents the certificate {found}")
