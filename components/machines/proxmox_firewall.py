"""The firewall of one VM, as Proxmox keeps it.

PVE deletes it together with the VM and the provider doesn't notice: hence ``replace_with``, or a
replaced machine would be without one. It works only where the datacenter's firewall is on, which is
no single stack's to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_proxmoxve as proxmoxve
from pulumi_proxmoxve import firewall

from .firewall import Rule
from .ownership import explain_leftover
from .replacements import RULES


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxmoxFirewallArgs:
    """Which VM, and who is let in."""

    vm: proxmoxve.VmLegacy
    import_id: str
    """By which ``pulumi import`` finds it: ``vm/<node>/<id>``."""
    rules: Sequence[Rule]


class ProxmoxFirewall(pulumi.ComponentResource):
    """Drops what comes in, except for what the rules name."""

    resources: tuple[pulumi.Resource, ...]

    def __init__(
        self, name: str, args: ProxmoxFirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:machines:ProxmoxFirewall", name, {}, opts)
        self.resources = (
            self._options(f"{name}-options", args),
            self._rules(f"{name}-rules", args),
        )
        self.register_outputs({})

    def _options(self, name: str, args: ProxmoxFirewallArgs) -> firewall.OptionsLegacy:
        return firewall.OptionsLegacy(
            name,
            node_name=args.vm.node_name,
            vm_id=args.vm.vm_id,
            enabled=True,
            input_policy="DROP",
            output_policy="ACCEPT",
            # Virtual addresses move between machines: one speaks for more than its own address.
            ipfilter=False,
            macfilter=True,
            dhcp=False,
            opts=self._goes_with(args.vm),
        )

    def _rules(self, name: str, args: ProxmoxFirewallArgs) -> firewall.RulesLegacy:
        # Each rule is a call of its own, and the provider won't add to what it finds.
        hooks = explain_leftover(RULES, name, args.import_id, self, "Existing rules detected")
        return firewall.RulesLegacy(
            name,
            node_name=args.vm.node_name,
            vm_id=args.vm.vm_id,
            rules=[_as_pve_writes_it(rule) for rule in args.rules],
            opts=self._goes_with(args.vm, hooks),
        )

    def _goes_with(
        self, vm: proxmoxve.VmLegacy, hooks: pulumi.ResourceHookBinding | None = None
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, replace_with=[vm], deleted_with=vm, delete_before_replace=True, hooks=hooks
        )


def _as_pve_writes_it(rule: Rule) -> firewall.RulesLegacyRuleArgsDict:
    wanted: firewall.RulesLegacyRuleArgsDict = {
        "type": "in",
        "action": "ACCEPT",
        "comment": rule.why,
        "source": ",".join(_without_full_length(source) for source in rule.sources),
    }
    if rule.protocol:
        wanted["proto"] = rule.protocol
    if rule.ports:
        wanted["dport"] = ",".join(str(port) for port in rule.ports)
    return wanted


def _without_full_length(network: IPv4Network) -> str:
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)
