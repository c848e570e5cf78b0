"""A node of K3s goes to another version: one minor after the other, saved before, empty meanwhile.

The version is data. A step that K3s does not take is refused while the deploy is read, so already
by a preview; whether the cluster is well enough is asked on the machine, right before the step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO

from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.facts.files import File
from pyinfra.operations import files, server
from typing_extensions import override

from .k3s_node import API_PORT, K3sNode
from .k3s_places import BINARY, FOLDER, JOINED
from .on_machine.k3s_snapshots import generation
from .on_machine.k3s_upgrade import refusal
from .rendering import as_json, program
from .started_before import StartedBefore

MARKER = f"{FOLDER}/upgrading"
KUBECONFIG = "/run/k3s-upgrade.kubeconfig"
SETTINGS = f"{FOLDER}/upgrade.json"
_FINISH_SECONDS = 300
_SAID = re.compile(r"^k3s version (v\S+)")


class InstalledK3s(FactBase[str | None]):
    """Which version the program on this machine is, if there is one."""

    default = staticmethod(lambda: None)

    @override
    def command(self) -> str:
        return f"[ ! -x {BINARY} ] || {BINARY} --version"

    @override
    def process(self, output: list[str]) -> str | None:
        found = _SAID.match("\n".join(output))
        return found[1] if found else None


def refuse_wrong_step(wanted: K3sNode) -> None:
    """Raise if K3s does not go from what is here to what is wanted."""
    have = host.get_fact(InstalledK3s)
    if have and (why := refusal(have, wanted.release.version)):
        raise ValueError(f"kubernetes.version: {why}")


def begin_upgrade(wanted: K3sNode) -> None:
    """Have this node empty if another version is to run on it; before anything is replaced."""
    files.put(
        name="Write the program that upgrades",
        src=program("on_machine/k3s_upgrade.py"),
        dest="/usr/local/sbin/k3s-upgrade",
        mode="755",
    )
    told = {
        "name": wanted.name,
        "server": wanted.is_server,
        "version": wanted.release.version,
        "snapshot": before(wanted),
        "servers": {name: str(address) for name, address in sorted(wanted.servers.items())},
        "kubeconfig": KUBECONFIG,
        "api_port": API_PORT,
        "drain_seconds": wanted.drain_seconds,
        "marker": MARKER,
    }
    files.put(name="Write to what it upgrades", src=as_json(told), dest=SETTINGS, mode="644")
    other = _other_version(wanted)
    files.put(
        name="Lend the administrator's way in for the upgrade",
        src=StringIO(wanted.administrator),
        dest=KUBECONFIG,
        mode="600",
        _if=lambda: other() or begun(),
    )
    server.shell(
        name=f"Save what etcd holds, and have the pods elsewhere, for {wanted.release.version}",
        commands=[f"k3s-upgrade begin {SETTINGS}"],
        _timeout=wanted.drain_seconds + 180,
        _if=other,
    )


def before(wanted: K3sNode) -> str:
    """Return what the snapshot before the upgrade is called; only a server takes one."""
    label = generation(wanted.token) if wanted.token else ""
    return f"{label}-before-{wanted.release.version.replace('+', '-')}"


def finish_upgrade() -> None:
    """Let pods come again once the node is ready in its new version."""
    server.shell(
        name="Have pods again after the upgrade",
        commands=[f"k3s-upgrade finish {SETTINGS}"],
        _timeout=_FINISH_SECONDS,
        _if=begun,
    )
    files.file(name="Take the way in of the upgrade back", path=KUBECONFIG, present=False)


def begun() -> bool:
    """Tell whether an upgrade was begun and not finished."""
    return host.get_fact(File, path=MARKER) is not None


def _other_version(wanted: K3sNode) -> Callable[[], bool]:
    """Return the question whether this is a node, and does not run what is wanted."""

    def asked() -> bool:
        if host.get_fact(File, path=JOINED) is None:
            return False
        have = host.get_fact(InstalledK3s)
        # A run may have ended between the new program and its start.
        return have != wanted.release.version or bool(
            host.get_fact(StartedBefore, service=wanted.unit, files=[BINARY])
        )

    return asked
