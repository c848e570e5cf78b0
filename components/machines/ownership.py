"""What a killed run left behind is found by the next one, which stops and says what to do.

A run that is killed while Proxmox makes something leaves it unknown to the state. For VMs the next
run would fail late, or meet somebody else's VM under the id; so each VM has a hook that asks first,
in the preview too. For what else can be left, the provider's refusal is explained when it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pulumi

from .replacements import VM


class FoundVm(Protocol):
    """A VM that Proxmox knows."""

    @property
    def vm_id(self) -> int:
        """Its id, the same in the whole cluster."""

    @property
    def name(self) -> str:
        """Its name, which need not be unique."""

    @property
    def node(self) -> str:
        """Where it is."""

    @property
    def tags(self) -> frozenset[str]:
        """Its tags."""

    @property
    def status(self) -> str:
        """Whether it runs."""


FindVm = Callable[[int], FoundVm | None]


class VmIdTakenError(pulumi.RunError):
    """The VM id is somebody's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Something that is about to be made."""

    type: str
    name: str
    """Its name in Pulumi."""
    parent: str
    """URN of what it belongs to."""
    provider: str
    """URN of the provider that makes it."""

    def adopted_by(self, import_id: str) -> str:
        """Return the command that takes what is there into the state."""
        return (
            f"pulumi import {self.type} {self.name} {import_id} "
            f"--parent '{self.parent}' --provider '{self.provider}' --generate-code=false"
        )


def refusal(wanted: Wanted, owner: str, found: FoundVm) -> str:
    """Return why ``wanted`` can't be made where ``found`` is; ``owner`` is this stack's tag."""
    tags = ", ".join(sorted(found.tags)) or "none"
    seen = (
        f'VM id {found.vm_id} is taken by "{found.name}" on {found.node} '
        f"({found.status}, tags: {tags})"
    )
    if owner not in found.tags:
        return (
            f"{seen}. It does not carry this stack's tag {owner}, so it is somebody else's: give "
            f"{wanted.name} another id in the stack file. Nothing was touched."
        )
    # An import asks the guest agent for 15 minutes: the machine's own settings aren't known yet.
    stop = f"qm stop {found.vm_id}"
    return (
        f"{seen}. It is this stack's, left by a run that was interrupted. Stop it on {found.node}, "
        f"then either adopt it or, if it holds nothing, remove it; and run again:\n"
        f"  {stop}\n"
        f"  {wanted.adopted_by(f'{found.node}/{found.vm_id}')}\n"
        f"or\n"
        f"  {stop}; qm destroy {found.vm_id}"
    )


def id_must_be_free(
    name: str, vm_id: int, owner: str, parent: pulumi.Resource, find_vm: FindVm
) -> pulumi.ResourceHookBinding:
    """Return the hook that refuses to make a VM whose id is taken."""

    async def refuse(_: pulumi.ResourceHookArgs) -> None:
        found = find_vm(vm_id)
        if found is None:
            return
        reason = refusal(await _wanted(VM, name, parent), owner, found)
        # The preview of a replacement comes here with the old machine still in its place.
        if pulumi.runtime.is_dry_run() and owner in found.tags:
            pulumi.log.warn(f"{reason}\nIf this run is to replace it, all is well.")
            return
        raise VmIdTakenError(reason)

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(
        before_create=[pulumi.ResourceHook(f"{name}-id-is-free", refuse, options)]
    )


def explain_leftover(
    resource_type: str, name: str, import_id: str, parent: pulumi.Resource, symptom: str
) -> pulumi.ResourceHookBinding:
    """Return the hook that tells how to adopt what is in the way when creation says ``symptom``."""

    async def explain(failed: pulumi.ErrorHookArgs) -> bool:
        if failed.failed_operation == "create" and any(symptom in e for e in failed.errors):
            wanted = await _wanted(resource_type, name, parent)
            pulumi.log.error(
                f"{name} is there already, left by a run that was interrupted. Adopt it:\n"
                f"  {wanted.adopted_by(import_id)}"
            )
        return False  # Trying again would not help.

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{name}-leftover", explain)])


async def _wanted(resource_type: str, name: str, parent: pulumi.Resource) -> Wanted:
    provider = parent.get_provider(resource_type)
    return Wanted(
        type=resource_type,
        name=name,
        parent=str(await parent.urn.future()),
        provider=str(await provider.urn.future()) if provider else "",
    )
