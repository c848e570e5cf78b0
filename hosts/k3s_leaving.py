"""A machine leaves the K3s cluster: who stays has a quorum without it, or it stays too."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from pyinfra.operations import files, server, systemd

from .deploying import deploy
from .k3s_node import API_PORT, K3sNode
from .k3s_places import JOINED, SERVER
from .rendering import as_json, program

KUBECONFIG = "/run/k3s-leave.kubeconfig"
SETTINGS = "/etc/k3s-leave.json"
# containerd's shims and the pods outlive K3s, and would go on answering.
_END_PODS = (
    "find /sys/fs/cgroup -path '*kubepods*' -name cgroup.procs -exec cat {} + "
    "| sort --unique | xargs --no-run-if-empty kill -KILL; true"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving(K3sNode):
    """What a machine is told that leaves."""

    others: list[str]
    """Those of its group who stay."""

    @property
    def staying(self) -> dict[str, str]:
        """Return the servers that stay."""
        there = self.other_servers if self.is_server else self.servers
        kept = there if not self.is_server else {n: a for n, a in there.items() if n in self.others}
        return {name: str(address) for name, address in sorted(kept.items())}


@deploy("K3s leaves")
def leave(wanted: Leaving) -> None:
    """Prove that nobody misses it, drain it, stop everything, and be no member any more."""
    _tell(wanted)
    _step("prove", "Prove that those who stay have a quorum", 60)
    _step("drain", "Have its pods elsewhere", wanted.drain_seconds + 60)
    # The quorum may have become another one meanwhile.
    _step("prove", "Prove it again", 60)
    units = ("keepalived.service", wanted.unit) if wanted.is_server else (wanted.unit,)
    for unit in units:
        systemd.service(
            name=f"Stop {unit}", service=unit, running=False, enabled=False, _timeout=120
        )
    server.shell(name="End its pods", commands=[_END_PODS])
    _step("remove", "Be no member any more", 120)
    if wanted.is_server:
        systemd.service(
            name="Say no longer that it is a server",
            service="k3s-member.socket",
            running=False,
            enabled=False,
        )
        # A member that was forgotten can't come back with what it knew.
        for folder in ("db", "tls", "cred"):
            files.directory(name=f"Remove its {folder}", path=f"{SERVER}/{folder}", present=False)
    for path in (JOINED, "/etc/rancher/node/password", KUBECONFIG):
        files.file(name=f"Remove {path}", path=path, present=False)


def _tell(wanted: Leaving) -> None:
    files.put(
        name="Write the program that leaves",
        src=program("on_machine/k3s_leave.py"),
        dest="/usr/local/sbin/k3s-leave",
        mode="755",
    )
    files.put(
        name="Lend the administrator's way in",
        src=StringIO(wanted.administrator),
        dest=KUBECONFIG,
        mode="600",
    )
    files.put(
        name="Write who stays",
        src=as_json(
            {
                "name": wanted.name,
                "address": str(wanted.address),
                "server": wanted.is_server,
                "staying": wanted.staying,
                "kubeconfig": KUBECONFIG,
                "api_port": API_PORT,
                "drain_seconds": wanted.drain_seconds,
            }
        ),
        dest=SETTINGS,
        mode="644",
    )


def _step(step: str, what: str, seconds: int) -> None:
    server.shell(name=what, commands=[f"k3s-leave {step} {SETTINGS}"], _timeout=seconds)
