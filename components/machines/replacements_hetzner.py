"""What an edit replaces or leaves as it is at Hetzner Cloud."""

from __future__ import annotations

from .replacements import (
    ATTACHMENT,
    BALANCER,
    BALANCER_NETWORK,
    BALANCER_SERVICE,
    BALANCER_TARGET,
    NETWORK,
    SERVER,
    SSH_KEY,
    SUBNET,
    VOLUME,
    Effect,
    Row,
    inputs_of,
)

ROWS: tuple[Row, ...] = (
    Row(
        type=SERVER,
        settings=("machines.*",),
        effect=Effect.REMOVED,
        reason="A machine is its name: without it, or under another, it is not the same one.",
    ),
    Row(
        type=VOLUME,
        settings=("machines.*", "machines.*.data_disk_gib"),
        effect=Effect.REMOVED,
        reason="The data volume of a machine that is gone, or that shall have none.",
    ),
    Row(
        type=BALANCER,
        settings=("hetzner.load_balancer",),
        effect=Effect.REMOVED,
        reason="Nobody asks for it any more; its public address goes with it.",
    ),
    Row(
        type=SERVER,
        inputs=("image",),
        settings=("hetzner.image",),
        effect=Effect.KEPT,
        reason="A server starts from the image and goes its own way; a newer one is for new ones.",
        instead="Updates come by apt. For a fresh system, replace the server.",
    ),
    Row(
        type=SERVER,
        inputs=("sshKeys",),
        effect=Effect.KEPT,
        reason="Read at the first boot alone; should the stack's key be made anew, servers stay.",
        instead="The deploy in the host keeps the keys.",
    ),
    Row(
        type=SERVER,
        inputs=("userData",),
        settings=("access.user", "access.authorized_keys.*"),
        effect=Effect.KEPT,
        reason="Read at the first boot alone.",
        instead="The deploy in the host keeps the keys; another user needs new machines.",
    ),
    Row(
        type=SERVER,
        inputs=("location",),
        settings=("machines.*.hetzner.location",),
        effect=Effect.KEPT,
        reason="A server can't move.",
        instead="Make a machine of another name there, then remove this one.",
    ),
    Row(
        type=VOLUME,
        inputs=("location",),
        settings=("machines.*.hetzner.location",),
        effect=Effect.KEPT,
        reason="A volume can't move; another one is an empty one.",
        instead="Make a machine of another name there, let replication fill its volume.",
    ),
    Row(
        type=ATTACHMENT,
        inputs=("serverId", "volumeId"),
        effect=Effect.FOLLOWS,
        reason="A new server gets the old volume.",
    ),
    Row(
        type=SSH_KEY,
        inputs=("publicKey",),
        effect=Effect.FOLLOWS,
        reason="The key is made in the stack's state.",
    ),
    Row(
        type=NETWORK,
        inputs=("ipRange",),
        settings=("network.cidr",),
        effect=Effect.KEPT,
        reason="Every server would lose its address.",
        instead="`hcloud network change-ip-range` makes it larger; the edit then says the same.",
    ),
    Row(
        type=SUBNET,
        inputs=("ipRange", "networkZone"),
        settings=("hetzner.subnet", "hetzner.network_zone"),
        effect=Effect.KEPT,
        reason="Every server would lose its address.",
        instead="A stack of another name, and a move of the data.",
    ),
    Row(
        type=SUBNET,
        inputs=("networkId", "type"),
        effect=Effect.FOLLOWS,
        reason="It belongs to one network, which is never replaced.",
    ),
    Row(
        type=BALANCER,
        inputs=("location",),
        settings=("hetzner.load_balancer.location",),
        effect=Effect.KEPT,
        reason="Another load balancer has another public address, which DNS would have to follow.",
        instead="Replace it knowingly: `pulumi up --target-replace <urn>`, then DNS.",
    ),
    Row(
        type=BALANCER_NETWORK,
        inputs=("ip",),
        settings=("hetzner.load_balancer.address",),
        effect=Effect.REPLACED,
        reason="It leaves the network and joins it again: seconds without an answer.",
    ),
    Row(
        type=BALANCER_NETWORK,
        inputs=("loadBalancerId", "subnetId"),
        effect=Effect.FOLLOWS,
        reason="It belongs to one load balancer and one subnet.",
    ),
    Row(
        type=BALANCER_SERVICE,
        inputs=("listenPort", "protocol", "loadBalancerId"),
        effect=Effect.FIXED,
        reason="The port is in the resource's name: another port is one more, not a new one.",
    ),
    Row(
        type=BALANCER_TARGET,
        inputs=("labelSelector",),
        settings=("hetzner.load_balancer.target_role",),
        effect=Effect.REPLACED,
        reason="Other machines are another target; the load balancer stays.",
    ),
    Row(
        type=BALANCER_TARGET,
        inputs=("loadBalancerId",),
        effect=Effect.FOLLOWS,
        reason="It belongs to one load balancer.",
    ),
)


def kept(resource_type: str) -> list[str]:
    """Return the inputs whose edits are kept away from what exists."""
    return inputs_of(ROWS, Effect.KEPT, resource_type, "")
