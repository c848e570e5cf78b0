"""The lab's Pulumi project: the program as it is, a stack file that differs in where things are.

It lies outside the checkout with its own state, so that nothing of the repository is written
and two checkouts never meet.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from fastapi import FastAPI

from toolchain.cache import Cache

from . import engine
from .identities import ACCOUNT_ID, ZONE_ID, identities
from .pve.api import api
from .pve.cluster import Cluster
from .serve import Authority, Served, serving

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What opens the lab's emulated APIs; made once for each lab."""

    proxmox_api_token: str = field(repr=False)
    cloudflare_api_token: str = field(repr=False)


@dataclass(kw_only=True)
class Lab:
    """A running lab: the emulated APIs and a Pulumi project that knows them."""

    project: Path
    stack: str
    variables: Mapping[str, str] = field(repr=False)
    credentials: Credentials
    cluster: Cluster
    proxmox: FastAPI

    @property
    def calls(self) -> list[str]:
        """Return every call that Proxmox got, as ``METHOD /path``."""
        calls: list[str] = self.proxmox.state.calls
        return calls

    def before_each_change(self, then: Callable[[str], None]) -> None:
        """Call ``then`` with the path of each call that changes something, before it does."""
        self.proxmox.state.before_change = then

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the real engine beside the block, as the head of a process group; then end it."""
        process = subprocess.Popen(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.project,
            env={**os.environ, **self.variables},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real engine on the lab's stack and return what it said."""
        return engine.pulumi(self.project, self.variables, *arguments, check=check)

    def show(self, *arguments: str) -> int:
        """Run the real engine with its output where people see it, and return its exit code."""
        command = ["pulumi", "--stack", self.stack, *arguments]
        return subprocess.run(
            command, cwd=self.project, env={**os.environ, **self.variables}, check=False
        ).returncode

    def configure(self, change: Mapping[str, Mapping[str, Any]]) -> None:
        """Overlay ``change`` (section, key, value) on the lab's stack file."""
        self.stack_file.write_text(
            yaml.safe_dump(overlaid(self._stack_file(), change), sort_keys=False)
        )

    def replace(self, key: str, value: Mapping[str, Any] | str) -> None:
        """Write a key of the lab's stack file anew, a section's own keys in the order given."""
        document = self._stack_file()
        document["config"][f"coldstorage:{key}"] = value
        self.stack_file.write_text(yaml.safe_dump(document, sort_keys=False))

    def section(self, name: str) -> dict[str, Any]:
        """Return a section of the lab's stack file."""
        section: dict[str, Any] = self._stack_file()["config"][f"coldstorage:{name}"]
        return section

    @property
    def stack_file(self) -> Path:
        """Return where the lab's stack file is."""
        return self.project / f"Pulumi.{self.stack}.yaml"

    @property
    def checkpoint(self) -> Path:
        """Return the file in which the engine keeps the stack's state."""
        return self.project / "state" / ".pulumi" / "stacks" / "coldstorage" / f"{self.stack}.json"

    def _stack_file(self) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(self.stack_file.read_text())
        return document


def overlaid(
    stack_file: Mapping[str, Any], change: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the stack file with the keys of ``change`` set, one section at a time."""
    config = dict(stack_file["config"])
    for section, values in change.items():
        config[f"coldstorage:{section}"] = config.get(f"coldstorage:{section}", {}) | dict(values)
    return {**stack_file, "config": config}


def endpoints(proxmox: Served, cloudflare: Served) -> dict[str, dict[str, Any]]:
    """Return all in which the lab's stack differs from the real one, but for credentials."""
    return {
        "proxmox": {"endpoint": proxmox.endpoint, "fingerprint": proxmox.fingerprint},
        "cloudflare": {
            "endpoint": f"{cloudflare.endpoint}/client/v4",
            "account_id": ACCOUNT_ID,
            "zone_id": ZONE_ID,
        },
    }


@contextmanager
def running(stack: str = "testing", home: Path | None = None) -> Iterator[Lab]:
    """Run a lab of ``stack`` whose project and state are kept in ``home``."""
    home = home or default_home()
    project = home / stack
    project.mkdir(parents=True, exist_ok=True, mode=0o700)
    credentials = _credentials(project / "credentials.json")
    stack_file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    domain = stack_file["config"]["coldstorage:environment"]["domain"]

    with ExitStack() as stack_of:
        folder = Path(stack_of.enter_context(TemporaryDirectory(prefix="coldstorage-lab-")))
        authority = Authority(folder)
        cluster = Cluster()
        pve = api(cluster, credentials.proxmox_api_token)
        owned = identities(domain=domain, project=stack, token=credentials.cloudflare_api_token)
        where = endpoints(
            stack_of.enter_context(serving(pve, "proxmox", authority)),
            stack_of.enter_context(serving(owned, "cloudflare", authority)),
        )
        lab = Lab(
            project=project,
            stack=stack,
            variables=_variables(project, authority),
            credentials=credentials,
            cluster=cluster,
            proxmox=pve,
        )
        _write_project(lab, overlaid(stack_file, where), credentials)
        yield lab


def default_home() -> Path:
    """Return this checkout's own folder in the cache."""
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return Cache.of_this_user().root / "labs" / f"{ROOT.name}-{mark}"


def _variables(project: Path, authority: Authority) -> dict[str, str]:
    passphrase = project / "passphrase"
    if not passphrase.exists():
        _write_private(passphrase, secrets.token_hex(16))
    state = project / "state"
    state.mkdir(exist_ok=True)
    return engine.environment(
        PULUMI_BACKEND_URL=state.as_uri(),
        PULUMI_CONFIG_PASSPHRASE_FILE=str(passphrase),
        # The emulated Cloudflare is signed by the lab, not by a public authority.
        SSL_CERT_FILE=str(authority.certificate),
    )


def _write_project(lab: Lab, stack_file: Mapping[str, Any], credentials: Credentials) -> None:
    """Write the project; what is already encrypted is kept, since encrypting costs seconds."""
    program = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    program["main"] = str(ROOT)
    program["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
    (lab.project / "Pulumi.yaml").write_text(yaml.safe_dump(program))

    path = lab.stack_file
    before = yaml.safe_load(path.read_text()) if path.exists() else {}
    encrypted = {k: v for k, v in before.get("config", {}).items() if "secure" in v}
    config = {**stack_file["config"], **encrypted}
    path.write_text(yaml.safe_dump({**before, "config": config}, sort_keys=False))
    if not any((lab.project / "state").glob(f".pulumi/stacks/*/{lab.stack}.json")):
        lab.pulumi("stack", "init", lab.stack, "--secrets-provider", "passphrase")
    lab.pulumi("stack", "select", lab.stack)
    for name in Credentials.__slots__:
        if f"coldstorage:{name}" not in encrypted:
            _set_secret(lab, name, getattr(credentials, name))


def _set_secret(lab: Lab, name: str, value: str) -> None:
    # By standard input: a value among the arguments could be read by every process.
    subprocess.run(
        ["pulumi", "--non-interactive", "config", "set", "--secret", name],
        cwd=lab.project,
        env={**os.environ, **lab.variables},
        input=value,
        text=True,
        capture_output=True,
        check=True,
    )


def _credentials(path: Path) -> Credentials:
    if not path.exists():
        token_id = "-".join(secrets.token_hex(n) for n in (4, 2, 2, 2, 6))
        made = {
            "proxmox_api_token": f"pulumi@pve!lab={token_id}",
            "cloudflare_api_token": secrets.token_urlsafe(30),
        }
        _write_private(path, json.dumps(made))
    return Credentials(**json.loads(path.read_text()))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
