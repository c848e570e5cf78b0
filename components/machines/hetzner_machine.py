"""One machine as a Hetzner server, with its data volume.

A server joins the network as it is made, so that its first boot finds the private address; joined
later it would come up without. A change of its type powers it off and on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_hcloud as hcloud

from ..sections import Machine as MachineSettings
from ..sections import OnHetzner
from .machine import HOLDS_DATA
from .replacements import SERVER, VOLUME
from .replacements_hetzner import kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What all machines of a stack share."""

    owner: str
    image: str
    user: str
    authorized_keys: Sequence[str]
    public_key: pulumi.Output[str]
    ssh_key: pulumi.Output[str]
    """Id of the key that the stack's machines start with."""
    subnet: hcloud.NetworkSubnet
    firewall: hcloud.Firewall


@dataclass(frozen=True, kw_only=True, slots=True)
class HetznerMachineArgs:
    """What one machine needs to know."""

    hostname: str
    settings: MachineSettings
    placement: OnHetzner
    site: Site
    group: hcloud.PlacementGroup | None
    """Keeps it off the physical servers of the group's others."""
    protect_data: bool


class HetznerMachine(pulumi.ComponentResource):
    """A server and the volume that outlives it."""

    public_address: pulumi.Output[str]
    data_disk: pulumi.Output[str] | None
    identity: pulumi.Output[str]
    resources: tuple[pulumi.Resource, ...]
    """What must be there before anybody connects."""

    def __init__(
        self, name: str, args: HetznerMachineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:HetznerMachine", name, {}, opts)
        self._name, self._args = name, args

        server = self._server()
        self.public_address = server.ipv4_address
        # Hetzner gives no number twice.
        self.identity = server.id
        self.resources, self.data_disk = (server,), None
        if args.settings.data_disk_gib:
            volume = self._volume(args.settings.data_disk_gib)
            self.resources = (server, self._attached(server, volume))
            self.data_disk = volume.linux_device
        self.register_outputs({"public_address": self.public_address})

    def _labels(self) -> dict[str, str]:
        return {"stack": self._args.site.owner, "role": str(self._args.settings.role)}

    def _server(self) -> hcloud.Server:
        args, site = self._args, self._args.site
        protected = args.protect_data and args.settings.role in HOLDS_DATA
        return hcloud.Server(
            f"{self._name}-server",
            name=args.hostname,
            server_type=args.placement.server_type,
            location=args.placement.location,
            image=site.image,
            # The smaller disk of a smaller type can be gone back to.
            keep_disk=True,
            ssh_keys=[site.ssh_key],
            user_data=pulumi.Output.json_dumps(self._first_boot()).apply(
                "#cloud-config\n{}".format
            ),
            networks=[
                {
                    "subnet_id": site.subnet.id,
                    "ip": str(args.settings.address),
                    "alias_ips": [],
                }
            ],
            public_nets=[{"ipv4_enabled": True, "ipv6_enabled": True}],
            firewall_ids=[site.firewall.id.apply(int)],
            placement_group_id=args.group.id.apply(int) if args.group else None,
            # Hetzner wants both the same.
            delete_protection=protected,
            rebuild_protection=protected,
            shutdown_before_deletion=True,
            labels=self._labels(),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protected or None,
                ignore_changes=kept(SERVER),
                # Its name and its address belong to one server at a time.
                delete_before_replace=True,
            ),
        )

    def _first_boot(self) -> dict[str, pulumi.Input[object]]:
        site = self._args.site
        user = {
            "name": site.user,
            "groups": ["sudo"],
            "shell": "/bin/bash",
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "ssh_authorized_keys": [site.public_key, *site.authorized_keys],
        }
        return {"users": [user]}

    def _volume(self, size_gib: int) -> hcloud.Volume:
        args = self._args
        return hcloud.Volume(
            f"{self._name}-data",
            name=f"{args.hostname}-data",
            size=size_gib,
            location=args.placement.location,
            delete_protection=args.protect_data,
            labels=self._labels(),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect_data or None,
                # Even when somebody takes the protection off, it stays at Hetzner.
                retain_on_delete=args.protect_data or None,
                ignore_changes=kept(VOLUME),
            ),
        )

    def _attached(self, server: hcloud.Server, volume: hcloud.Volume) -> hcloud.VolumeAttachment:
        return hcloud.VolumeAttachment(
            f"{self._name}-data-attached",
            server_id=server.id.apply(int),
            volume_id=volume.id.apply(int),
            # The deploy in the host mounts it, where the database wants it.
            automount=False,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
