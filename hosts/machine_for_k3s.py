"""What a machine needs before K3s: packages, kernel modules and settings, and no swap."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.operations import files, server, systemd
from typing_extensions import override

from .deploying import deploy
from .packages import Packages
from .rendering import rendered

PACKAGES = Packages(
    names=(
        "curl",
        "etcd-client",
        "git",
        "htop",
        "iotop",
        "keepalived",
        "nfs-common",
        "open-iscsi",
        "python3",
        "wget",
    ),
    ours=("keepalived",),
)
MODULES = {
    "br_netfilter": "[ -e /proc/sys/net/bridge ]",
    "overlay": "grep --quiet --word-regexp overlay /proc/filesystems",
}
"""By module: what succeeds when it is loaded, or built in."""
KERNEL = (
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv6.conf.all.forwarding", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("fs.inotify.max_user_instances", "8192"),
    ("fs.inotify.max_user_watches", "524288"),
    # With protect-kernel-defaults kubelet refuses to start with any other.
    ("vm.overcommit_memory", "1"),
    ("vm.panic_on_oom", "0"),
    ("kernel.panic_on_oops", "1"),
    ("kernel.keys.root_maxbytes", "25000000"),
    ("kernel.keys.root_maxkeys", "1000000"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineForK3s:
    """Nothing to choose."""


class ModulesMissing(FactBase[list[str]]):
    """Names of kernel modules that are wanted and not there."""

    @override
    def command(self) -> str:
        looks = (f"{there} || echo {name}" for name, there in MODULES.items())
        return "; ".join((*looks, "true"))

    @override
    def process(self, output: list[str]) -> list[str]:
        return output


class SwapOn(FactBase[bool]):
    """Whether the kernel swaps to anything."""

    default = bool

    @override
    def command(self) -> str:
        return "tail -n +2 /proc/swaps"

    @override
    def process(self, output: list[str]) -> bool:
        return bool(output)


@deploy("Machine for K3s")
def machine_for_k3s(_: MachineForK3s) -> None:
    """Prepare the kernel, and keep the firewall's hands off what kube-proxy writes."""
    files.put(
        name="Have kernel modules loaded at boot",
        src=rendered("modules-load.conf.j2", names=sorted(MODULES)),
        dest="/etc/modules-load.d/k3s.conf",
        mode="644",
    )
    server.shell(
        name="Load kernel modules",
        commands=[f"modprobe --all {' '.join(sorted(MODULES))}"],
        _if=lambda: bool(host.get_fact(ModulesMissing)),
    )
    server.shell(
        name="Switch swap off",
        commands=["swapoff --all"],
        _if=lambda: host.get_fact(SwapOn),
    )
    files.line(
        name="Have no swap after the next boot",
        path="/etc/fstab",
        line=r"^[^#]\S*\s+\S+\s+swap\s.*$",
        present=False,
    )
    unit = files.put(
        name="Have the firewall replace its own table only",
        src=rendered("nftables.service.d.j2"),
        dest="/etc/systemd/system/nftables.service.d/k3s.conf",
        mode="644",
    )
    systemd.daemon_reload(name="Have systemd read the firewall's unit", _if=unit.did_change)
