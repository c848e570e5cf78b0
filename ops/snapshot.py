"""Snapshots of machines around a risky change.

    python -m ops.snapshot testing create upgrade-k3s k3s-node1 k3s-node2 k3s-node3
    python -m ops.snapshot testing list
    python -m ops.snapshot testing rollback pulumi-upgrade-k3s-20260301120000 k3s-node1
    python -m ops.snapshot testing delete pulumi-upgrade-k3s-20260301120000

No machine named is every machine. A snapshot holds the attached data disk too; put databases back
one at a time only if you know why.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from components.https import ApiError
from components.machines import snapshot
from components.machines.proxmox_snapshots import ProxmoxSnapshots
from components.proxmox_api import ProxmoxApi
from components.sections import Machine, Proxmox
from components.settings import PROJECT
from ops.stack_files import StackFile


def vms_of(file: StackFile, names: Sequence[str]) -> dict[str, snapshot.Vm]:
    """Return the VMs of the machines that are named, or of all."""
    machines = {n: Machine.model_validate(m) for n, m in file.section("machines").items()}
    strangers = [name for name in names if name not in machines]
    if strangers:
        raise SystemExit(f"no machine {', '.join(strangers)}; there are {', '.join(machines)}")
    return {
        name: snapshot.Vm(node=where.node, vm_id=where.vm_id)
        for name in names or machines
        if (where := machines[name].proxmox)
    }


def run(file: StackFile, action: str, name: str, machines: Sequence[str]) -> list[str]:
    """Do what is asked and return what to tell."""
    vms = vms_of(file, machines)
    wanted = Proxmox.model_validate(file.section("proxmox"))
    with ProxmoxApi(
        str(wanted.endpoint), token=file.secret("proxmox_api_token"), fingerprint=wanted.fingerprint
    ) as api:
        client = ProxmoxSnapshots(api)
        if action == "list":
            return [
                f"{machine}  {kept.name}  {kept.description}"
                for machine, vm in vms.items()
                for kept in snapshot.ours(client, vm)
            ]
        if action == "create":
            description = f"before {name}, by ops.snapshot"
            made = snapshot.create(
                client, vms.values(), reason=name, at=datetime.now(UTC), description=description
            )
            return [f"{made} of {', '.join(vms)}"]
        act = snapshot.rollback if action == "rollback" else snapshot.delete
        act(client, vms.values(), name)
        return [f"{action} {name} of {', '.join(vms)}: done"]


def main(arguments: Sequence[str] | None = None, project: Path = PROJECT) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.snapshot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("action", choices=("create", "list", "rollback", "delete"))
    parser.add_argument("name", nargs="?", default="", help="a reason, or a snapshot's name")
    parser.add_argument("machines", nargs="*")
    options = parser.parse_args(arguments)
    if options.action != "list" and not options.name:
        parser.error(f"{options.action}: name is missing")
    file = StackFile(project=project, stack=options.stack)
    try:
        told = run(file, options.action, options.name, options.machines)
    except (ApiError, LookupError, ValueError) as error:
        raise SystemExit(str(error)) from None
    print("\n".join(told))


if __name__ == "__main__":
    main()
