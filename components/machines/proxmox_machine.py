"""One machine as a Proxmox VM.

Nothing is cloned: clones of one template race for the template's lock, so each VM imports the image
by itself (``docs/decisions/0004-nothing-is-cloned.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
import pulumi_proxmoxve as proxmoxve
import pulumi_random as random

from ..sections import Machine as MachineSettings
from ..sections import Network, OnProxmox, Proxmox, Role
from .firewall import Rule
from .machine import HOLDS_DATA
from .ownership import FindVm, id_must_be_free
from .proxmox_data_disk import ProxmoxDataDisk, ProxmoxDataDiskArgs
from .proxmox_firewall import ProxmoxFirewall, ProxmoxFirewallArgs
from .replacements_proxmox import ignored, replacing

STARTUP_ORDER = {Role.DATABASE: 1, Role.K3S_SERVER: 2, Role.K3S_AGENT: 3}
"""After a power cut the host starts what others need first."""

MIB_PER_GIB = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxmoxMachineArgs:
    """What one machine needs to know."""

    hostname: str
    settings: MachineSettings
    placement: OnProxmox
    platform: Proxmox
    network: Network
    owner: str
    """The stack's tag on everything that is its own."""
    pool: pulumi.Input[str]
    image: pulumi.Input[str]
    user: str
    public_keys: Sequence[pulumi.Input[str]]
    rules: Sequence[Rule]
    protect_data: bool
    find_vm: FindVm


class ProxmoxMachine(pulumi.ComponentResource):
    """A machine, the disk that outlives it and the rules for who may reach it."""

    identity: pulumi.Output[str]
    """Another one with each new VM: Proxmox gives the successor the same id."""
    resources: tuple[pulumi.Resource, ...]
    """What must be there before anybody connects."""

    def __init__(
        self, name: str, args: ProxmoxMachineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:ProxmoxMachine", name, {}, opts)
        self._name, self._args = name, args

        data_id, size = args.placement.data_vm_id, args.settings.data_disk_gib
        data = self._data_disk(data_id, size) if data_id and size else None
        vm = self._vm(data)
        firewall = ProxmoxFirewall(
            f"{name}-firewall",
            ProxmoxFirewallArgs(
                vm=vm,
                import_id=f"vm/{args.placement.node}/{args.placement.vm_id}",
                rules=args.rules,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.identity = random.RandomId(
            f"{name}-identity",
            byte_length=8,
            opts=pulumi.ResourceOptions(parent=self, replace_with=[vm]),
        ).hex
        self.resources = (vm, *firewall.resources)
        self.register_outputs({})

    def _data_disk(self, vm_id: int, size_gib: int) -> ProxmoxDataDisk:
        args = self._args
        return ProxmoxDataDisk(
            f"{self._name}-data",
            ProxmoxDataDiskArgs(
                hostname=args.hostname,
                vm_id=vm_id,
                node=args.placement.node,
                size_gib=size_gib,
                storage=args.platform.storage,
                owner=args.owner,
                pool=args.pool,
                protected=args.protect_data,
                find_vm=args.find_vm,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _vm(self, data: ProxmoxDataDisk | None) -> proxmoxve.VmLegacy:
        args, name = self._args, f"{self._name}-vm"
        protected = args.protect_data and args.settings.role in HOLDS_DATA
        return proxmoxve.VmLegacy(
            name,
            _with_care(self._hardware(data)),
            pulumi.ResourceOptions(
                parent=self,
                protect=protected or None,
                ignore_changes=ignored("vm", disks=2 if data else 1),
                replace_on_changes=replacing("vm"),
                # Its id and its address belong to one VM at a time.
                delete_before_replace=True,
                hooks=id_must_be_free(name, args.placement.vm_id, args.owner, self, args.find_vm),
            ),
        )

    def _hardware(self, data: ProxmoxDataDisk | None) -> proxmoxve.VmLegacyArgs:
        args = self._args
        return proxmoxve.VmLegacyArgs(
            name=args.hostname,
            description=f"{args.settings.role} of {args.owner}. Changed by Pulumi, not here.",
            vm_id=args.placement.vm_id,
            node_name=args.placement.node,
            pool_id=args.pool,
            tags=sorted({args.owner, str(args.settings.role), "pulumi"}),
            startup=proxmoxve.VmLegacyStartupArgs(order=STARTUP_ORDER[args.settings.role]),
            operating_system=proxmoxve.VmLegacyOperatingSystemArgs(type="l26"),
            cpu=proxmoxve.VmLegacyCpuArgs(cores=args.placement.cores, type="host"),
            # No ballooning: PostgreSQL and etcd plan with the memory they see.
            memory=proxmoxve.VmLegacyMemoryArgs(
                dedicated=args.placement.memory_gib * MIB_PER_GIB, floating=0
            ),
            scsi_hardware="virtio-scsi-single",
            boot_orders=["scsi0"],
            disks=[self._system_disk(), *([data.attached_as("scsi1")] if data else [])],
            network_devices=[
                proxmoxve.VmLegacyNetworkDeviceArgs(
                    bridge=args.platform.bridge,
                    model="virtio",
                    firewall=True,
                    mac_address=mac_address(args.settings.address),
                )
            ],
            # How a machine without network is looked into: `qm terminal`.
            serial_devices=[proxmoxve.VmLegacySerialDeviceArgs(device="socket")],
            initialization=self._first_boot(),
        )

    def _system_disk(self) -> proxmoxve.VmLegacyDiskArgs:
        args = self._args
        return proxmoxve.VmLegacyDiskArgs(
            interface="scsi0",
            import_from=args.image,
            datastore_id=args.platform.storage.name,
            file_format=args.platform.storage.disk_format,
            size=args.placement.disk_gib,
            discard="on",
            iothread=True,
            ssd=True,
        )

    def _first_boot(self) -> proxmoxve.VmLegacyInitializationArgs:
        args = self._args
        address = f"{args.settings.address}/{args.network.cidr.prefixlen}"
        ipv4 = proxmoxve.VmLegacyInitializationIpConfigIpv4Args(
            address=address, gateway=str(args.network.gateway)
        )
        return proxmoxve.VmLegacyInitializationArgs(
            datastore_id=args.platform.storage.name,
            dns=proxmoxve.VmLegacyInitializationDnsArgs(
                servers=[str(server) for server in args.network.dns]
            ),
            ip_configs=[proxmoxve.VmLegacyInitializationIpConfigArgs(ipv4=ipv4)],
            user_account=proxmoxve.VmLegacyInitializationUserAccountArgs(
                username=args.user, keys=args.public_keys
            ),
        )


def mac_address(address: IPv4Address) -> str:
    """Return the hardware address that goes with ``address``, in the range for private use.

    Neighbours remember which hardware address an IP address had; a machine that is replaced keeps
    both, so nobody talks to the dead one until a cache expires. An IP address is unique on its
    network; a VM id is not where two clusters share one.
    """
    return ":".join(f"{byte:02X}" for byte in b"\x02\x00" + address.packed)


def _with_care(vm: proxmoxve.VmLegacyArgs) -> proxmoxve.VmLegacyArgs:
    """Return ``vm`` with how the provider is to treat it."""
    vm.started = True
    vm.on_boot = True
    # Another node is a live migration, not a new machine.
    vm.migrate = True
    # The cloud image has no agent until a deploy installs it, and addresses are ours to give: with
    # the look-up off neither create nor refresh asks it (they would wait 15 minutes each).
    vm.agent = proxmoxve.VmLegacyAgentArgs(
        enabled=True,
        trim=True,
        wait_for_ip=proxmoxve.VmLegacyAgentWaitForIpArgs(disabled=True),
    )
    # An `up` never reboots a machine by surprise: what needs a reboot stays pending, the provider
    # says so, and the reboot is done with care, one machine at a time.
    vm.reboot_after_update = False
    # A successor has the same id: it must still be in the backup jobs and in HA.
    vm.purge_on_destroy = False
    # The provider would also free disks that no configuration names.
    vm.delete_unreferenced_disks_on_destroy = False
    # Seconds; the provider's own are half an hour. The one to stop bounds the whole deletion, so a
    # shutdown that ends by force must fit in.
    vm.timeout_create = 900
    vm.timeout_start_vm = 120
    vm.timeout_reboot = 300
    vm.timeout_shutdown_vm = 180
    vm.timeout_stop_vm = 360
    vm.timeout_migrate = 3600
    return vm
