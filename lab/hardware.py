"""What every machine of the lab starts from and can install, offline as it is."""

from __future__ import annotations

from .kubernetes import let_the_kernel_watch
from .machines import BaseImage, PackageRepository, Place
from .pve.machines import Machines
from .stack import stack_file_of

BASE = BaseImage()
PACKAGES = PackageRepository(
    image=BASE,
    packages=(
        # What K3s' machines are prepared with.
        "conntrack",
        "git",
        "htop",
        "iotop",
        "iptables",
        "nfs-common",
        "open-iscsi",
        "socat",
        "wget",
        # The database tier.
        "etcd-client",
        "etcd-server",
        "keepalived",
        "patroni",
        "pgbackrest",
        "pgbouncer",
        "postgresql-17",
        "python3-dnspython",
        "python3-etcd",
        "python3-psycopg2",
        "redis-sentinel",
        "redis-server",
        "redis-tools",
        "prometheus-node-exporter",
        "prometheus-postgres-exporter",
        # Every machine.
        "chrony",
        "unattended-upgrades",
    ),
)


def hardware_of(place: Place, stack: str) -> Machines:
    """Return the machines of a stack's lab as an emulated Proxmox uses them."""
    let_the_kernel_watch()
    machines = stack_file_of(stack)["config"]["coldstorage:machines"]
    return Machines(
        place=place,
        image=BASE.obtain(),
        packages=PACKAGES.obtain(),
        nodes=frozenset(name for name, m in machines.items() if m["role"].startswith("k3s")),
    )
