"""The lab's stack: the program as it is, and a stack file that differs in where things are.

What it may differ in is all here; ``tests/lab/test_parity.py`` holds it to that.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from toolchain import engine

from .checkout import ROOT
from .clouds.cloudflare import ACCOUNT_ID, ZONE_ID
from .credentials import Credentials, passphrase_in
from .internet import Site
from .project import Overlay, Project, overlaid
from .serve import Served

_NO_METALLB = ROOT / "lab" / "cluster_on_records" / "metallb.yaml"
NO_RELEASE = {
    "mirror": "/nowhere",
    "sha256": {"k3s": "0" * 64},
    "metallb": {
        "place": str(_NO_METALLB),
        "sha256": hashlib.sha256(_NO_METALLB.read_bytes()).hexdigest(),
    },
}
"""Where hosts are records nobody fetches it."""
CLUSTER_ON_RECORDS = ROOT / "lab" / "cluster_on_records"
"""STAND-IN for the plugin that changes what is in the cluster, beside that for hosts."""
HOSTS_ON_RECORDS = ROOT / "lab" / "hosts_on_records"
"""STAND-IN for the plugin that changes what is inside machines: it connects to none."""


def stack_file_of(stack: str) -> dict[str, Any]:
    """Return a stack file of the repository."""
    document: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return document


def fenced_vms(stack: str) -> frozenset[int]:
    """Return the VMs whose power the token of the fencing is for."""
    machines = stack_file_of(stack)["config"]["coldstorage:machines"].values()
    return frozenset(m["proxmox"]["vm_id"] for m in machines if m["role"] == "database")


def program(hosts: Path | None = None) -> dict[str, Any]:
    """Return the repository's project file as it must be to work from another folder.

    ``hosts`` is another plugin in the place of that for hosts.
    """
    document: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    document["main"] = str(ROOT)
    document["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
    for plugin in document["plugins"]["providers"]:
        plugin["path"] = str(hosts or ROOT / plugin["path"])
    if hosts:
        # Hosts that are records have no Kubernetes on them.
        cluster = {"name": "kubernetes", "path": str(CLUSTER_ON_RECORDS)}
        document["plugins"]["providers"].append(cluster)
    return document


def endpoints(
    proxmox: Served,
    cloudflare: Served,
    authority: Path,
    release: Mapping[str, Any],
    application: Mapping[str, Any],
) -> Overlay:
    """Return all in which the lab's stack differs from the real one, but for credentials.

    ``authority`` signed the certificates of the lab's services; ``release`` is the K3s that it has,
    ``application`` the image of the lab's own.
    """
    return {
        "proxmox": {"endpoint": f"{proxmox.endpoint}/", "fingerprint": proxmox.fingerprint},
        "cloudflare": {
            "endpoint": f"{cloudflare.endpoint}/client/v4",
            "account_id": ACCOUNT_ID,
            "zone_id": ZONE_ID,
            "r2_endpoint": f"https://{Site.OBJECT_STORE.address}",
            "r2_authority": authority.read_text(),
        },
        "application": application,
        # K3s itself can't be had everywhere: the version that the lab has is the nearest.
        "kubernetes": {
            **release,
            "registries": {
                "*": {
                    "endpoint": f"https://{Site.REGISTRY.address}",
                    "authority": authority.read_text(),
                }
            },
        },
    }


def project_of(stack: str, folder: Path, authority: Path, *within: str) -> Project:
    """Return the project of a lab's stack; ``authority`` signed the lab's emulated APIs."""
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Project(
        folder=folder,
        stack=stack,
        within=within,
        variables=engine.environment(
            PULUMI_BACKEND_URL=state.as_uri(),
            PULUMI_CONFIG_PASSPHRASE_FILE=str(passphrase_in(folder)),
            # The emulated Cloudflare is signed by the lab, not by a public authority.
            SSL_CERT_FILE=str(authority),
            # Else the engine has no --event-log.
            PULUMI_DEBUG_COMMANDS="true",
        ),
    )


def write(
    project: Project, where: Overlay, credentials: Credentials, hosts: Path | None = None
) -> None:
    """Write the project; what is already encrypted is kept, since encrypting costs seconds."""
    (project.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program(hosts)))

    path = project.stack_file
    before = yaml.safe_load(path.read_text()) if path.exists() else {}
    encrypted = {k: v for k, v in before.get("config", {}).items() if "secure" in v}
    stack_file = overlaid(stack_file_of(project.stack), where)
    config = {**stack_file["config"], **encrypted}
    path.write_text(yaml.safe_dump({**before, "config": config}, sort_keys=False))
    if not project.checkpoint.exists():
        project.pulumi("stack", "init", project.stack, "--secrets-provider", "passphrase")
    project.pulumi("stack", "select", project.stack)
    for name, value in asdict(credentials).items():
        if f"coldstorage:{name}" not in encrypted:
            _set_secret(project, name, value)


def _set_secret(project: Project, name: str, value: str) -> None:
    # By standard input: a value among the arguments could be read by every process.
    subprocess.run(
        ["pulumi", "--non-interactive", "config", "set", "--secret", name],
        cwd=project.folder,
        env={**os.environ, **project.variables},
        input=value,
        text=True,
        capture_output=True,
        check=True,
    )
