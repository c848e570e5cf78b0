"""The stack's machines on Proxmox VE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pulumi
import pulumi_proxmoxve as proxmoxve
import pulumi_tls as tls
from pulumi_proxmoxve import download

from ..sections import Access, CloudImage, Network, OnProxmox, Proxmox
from ..sections import Machine as MachineSettings
from .firewall import Services, rules_for
from .machine import Connection, Machine, Machines
from .ownership import FindVm, explain_leftover
from .proxmox_data_disk import GUEST_PATH
from .proxmox_machine import ProxmoxMachine, ProxmoxMachineArgs
from .replacements import POOL


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxmoxMachinesArgs:
    """What :class:`ProxmoxMachines` needs to know; all of it decides what exists or its name."""

    owner: str
    """Marks what is this stack's: pool, tag and image files carry it, so it is unique."""
    machines: Mapping[str, MachineSettings]
    proxmox: Proxmox
    network: Network
    access: Access
    services: Services
    protect_data: bool
    find_vm: FindVm
    """Asks Proxmox who has a VM id."""

    def __post_init__(self) -> None:
        faults = [
            fault for name, machine in self.machines.items() if (fault := _fault(name, machine))
        ]
        if faults:
            raise ValueError("; ".join(faults))


class ProxmoxMachines(Machines):
    """Proxmox VMs, one for each machine of the stack file, in a pool of their own."""

    def __init__(
        self, name: str, args: ProxmoxMachinesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:ProxmoxMachines", name, {}, opts)
        self._name, self._args = name, args

        self._key = tls.PrivateKey(
            f"{name}-key", algorithm="ED25519", opts=pulumi.ResourceOptions(parent=self)
        )
        self._pool = proxmoxve.PoolLegacy(
            f"{name}-pool",
            pool_id=args.owner,
            comment="Changed by Pulumi, not here.",
            opts=pulumi.ResourceOptions(
                parent=self,
                hooks=explain_leftover(POOL, f"{name}-pool", args.owner, self, "already exists"),
            ),
        )
        placed = {host: m.proxmox for host, m in args.machines.items() if m.proxmox}
        self._images = {node: self._image(node) for node in {p.node for p in placed.values()}}
        self._register(
            {
                host: self._machine(host, args.machines[host], where)
                for host, where in placed.items()
            }
        )

    def _image(self, node: str) -> download.File:
        image = self._args.proxmox.image
        return download.File(
            f"{self._name}-image-{node}",
            node_name=node,
            datastore_id=image.storage,
            content_type="import",
            url=str(image.url),
            file_name=image_file(self._args.owner, image),
            checksum=image.sha512,
            checksum_algorithm="sha512",
            # The checksum pins it: a new file behind the old address is an error, not an update.
            overwrite=False,
            # What a killed download left under this name, which is ours alone, is in the way.
            overwrite_unmanaged=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _machine(self, host: str, settings: MachineSettings, placement: OnProxmox) -> Machine:
        args = self._args
        made = ProxmoxMachine(
            f"{self._name}-{host}",
            ProxmoxMachineArgs(
                hostname=host,
                settings=settings,
                placement=placement,
                platform=args.proxmox,
                network=args.network,
                owner=args.owner,
                pool=self._pool.pool_id,
                image=self._images[placement.node].id,
                user=args.access.user,
                # The provider reads keys back without the line's end.
                public_keys=[
                    self._key.public_key_openssh.apply(str.strip),
                    *args.access.authorized_keys,
                ],
                rules=rules_for(
                    settings.role,
                    machines=args.machines,
                    network=args.network.cidr,
                    operators=args.network.operators,
                    services=args.services,
                ),
                protect_data=args.protect_data,
                find_vm=args.find_vm,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return Machine(
            name=host,
            role=settings.role,
            address=settings.address,
            failure_domain=placement.node,
            priority=settings.priority,
            data_disk=pulumi.Output.from_input(GUEST_PATH) if placement.data_vm_id else None,
            connection=Connection(
                host=pulumi.Output.from_input(str(settings.address)),
                user=args.access.user,
                private_key=pulumi.Output.secret(self._key.private_key_openssh),
            ),
            identity=made.identity,
            resources=made.resources,
        )


def image_file(owner: str, image: CloudImage) -> str:
    """Return the name under which ``owner`` keeps ``image``: another image never has the same.

    Two stacks on one node must not share the file, or one would delete it under the other; and a
    new image must not need the name of the old one, which is deleted last.
    """
    url = PurePosixPath(urlsplit(str(image.url)).path)
    return f"{owner}-{url.stem}-{image.sha512[:12]}{url.suffix}"


def _fault(name: str, machine: MachineSettings) -> str | None:
    if machine.proxmox is None:
        return f"machines.{name}.proxmox: missing, the platform is proxmox"
    if (machine.data_disk_gib is None) != (machine.proxmox.data_vm_id is None):
        return f"machines.{name}: data_disk_gib and proxmox.data_vm_id go together, got one of them"
    return None
