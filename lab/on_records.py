"""A lab without machines, in this process: for quick tests of the program on the real engine.

STAND-IN: the VMs of its Proxmox are records, and so are the hosts on them. ``lab.up`` makes the lab
whose VMs are machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from .clouds import Faults, Records, cloudflare
from .credentials import Credentials
from .project import Project
from .pve.api import api
from .pve.cluster import Cluster
from .serve import Authority, serving
from .stack import (
    HOSTS_ON_RECORDS,
    NO_RELEASE,
    endpoints,
    fenced_vms,
    project_of,
    stack_file_of,
    write,
)


@dataclass(kw_only=True)
class Lab(Project):
    """A project, and the emulated clouds behind it."""

    credentials: Credentials
    cluster: Cluster
    proxmox: FastAPI
    cloudflare: Records
    flare: Faults
    """Cloudflare's API, whose calls can be made to fail."""

    @property
    def calls(self) -> list[str]:
        """Return every call that Proxmox got, as ``METHOD /path``."""
        calls: list[str] = self.proxmox.state.calls
        return calls

    def before_each_change(self, then: Callable[[str], None]) -> None:
        """Call ``then`` with the path of each call that changes something, before it does."""
        self.proxmox.state.before_change = then


@contextmanager
def running(
    stack: str, home: Path, *, cluster: Cluster | None = None, hosts: Path | None = HOSTS_ON_RECORDS
) -> Iterator[Lab]:
    """Run a lab of ``stack`` whose project and state are kept in ``home``.

    The VMs of its Proxmox are records, unless a ``cluster`` with other hardware is given.
    Without the plugin ``hosts`` the real one is taken, which waits for machines that never answer.
    """
    folder = home / stack
    credentials = Credentials.kept_in(folder)
    authority = Authority(folder / "authority")
    domain = stack_file_of(stack)["config"]["coldstorage:environment"]["domain"]
    cluster = cluster or Cluster()
    power = {credentials.proxmox_fencing_token: fenced_vms(stack)}
    pve = api(cluster, credentials.proxmox_api_token, power)
    records = Records(folder / "cloudflare.json")
    flare = cloudflare.cloudflare(records, domain=domain)
    owned = cloudflare.api_of(flare, credentials.cloudflare_api_token)
    with ExitStack() as servers:
        where = endpoints(
            proxmox=servers.enter_context(serving(pve, "proxmox", authority)),
            cloudflare=servers.enter_context(serving(owned, "cloudflare", authority)),
            authority=authority.certificate,
            release=NO_RELEASE,
            application={},
        )
        project = project_of(stack, folder, authority.certificate)
        write(project, where, credentials, hosts)
        yield Lab(
            folder=project.folder,
            stack=stack,
            variables=project.variables,
            credentials=credentials,
            cluster=cluster,
            proxmox=pve,
            cloudflare=records,
            flare=owned,
        )
