"""What a real machine gives a node and nspawn does not, made up for in the machine, not in K3s."""

from __future__ import annotations

from pathlib import Path

PLAIN_FOLDERS = ("/var/lib/kubelet", "/var/lib/rancher")
"""containerd's overlays cannot lie on the machine's own overlay."""

_HERE = Path(__file__).parent
_UNIT = "lab-kubernetes.service"
_WATCHED = {"max_user_instances": 4096, "max_user_watches": 524288}
_SCRIPT = "/usr/local/lib/lab-kubernetes.sh"


def let_the_kernel_watch() -> None:
    """Have the kernel of this computer watch as much as several nodes want.

    It counts all machines as one user's, who by default has too little for three nodes.
    """
    for name, least in _WATCHED.items():
        setting = Path("/proc/sys/fs/inotify", name)
        if int(setting.read_text()) < least:
            setting.write_text(str(least))


def machine_options() -> tuple[str, ...]:
    """Return the options of systemd-nspawn with which a machine can be a node."""
    units = "/etc/systemd/system"
    return (
        "--capability=CAP_SYSLOG",
        "--system-call-filter=@keyring bpf",
        "--bind=/dev/kmsg",
        f"--bind-ro={_HERE / _UNIT}:{units}/{_UNIT}",
        # systemd takes nothing but links in a folder .wants, and a link cannot be bound.
        f"--bind-ro={_HERE / 'sysinit.conf'}:{units}/sysinit.target.d/lab-kubernetes.conf",
        f"--bind-ro={_HERE / 'prepare.sh'}:{_SCRIPT}",
    )
