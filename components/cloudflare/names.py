"""The public names of a stack: records of the zone that point at its tunnel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from .resources import DnsRecord

AUTOMATIC = 1
"""The only time to live that a proxied record has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicNamesArgs:
    """What :class:`PublicNames` need to know."""

    zone_id: str
    owner: str
    """Whose they are; a record of the same name without this mark is somebody else's."""
    hostnames: Sequence[str]
    target: pulumi.Input[str]
    after: Sequence[pulumi.Resource]
    """What must be there before anybody can come: routes, and who may pass."""


class PublicNames(pulumi.ComponentResource):
    """Records that the edge answers itself, so that nobody learns where a tunnel ends."""

    def __init__(
        self, name: str, args: PublicNamesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:cloudflare:PublicNames", name, {}, opts)
        for hostname in args.hostnames:
            DnsRecord(
                f"{name}-{hostname}",
                {
                    "zoneId": args.zone_id,
                    "name": hostname,
                    "type": "CNAME",
                    "content": args.target,
                    "ttl": AUTOMATIC,
                    "proxied": True,
                    "comment": mark(args.owner),
                },
                # A host has one such record: a second one can't stand beside the first.
                pulumi.ResourceOptions(
                    parent=self, depends_on=list(args.after), delete_before_replace=True
                ),
            )
        self.register_outputs({})


def mark(owner: str) -> str:
    """Return the comment by which a record is known to be the program's."""
    return f"{owner}: made by its Pulumi program"
